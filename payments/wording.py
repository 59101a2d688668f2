# ruff: noqa: E501 - sentences are read best on one line each; Bangla has its own marks
"""What a payer of carrier billing reads, in English and Bangla (D26)."""

from collections.abc import Mapping
from typing import Final

PASSWORD_MESSAGE: Final[Mapping[str, str]] = {
    "en": "{password} confirms BDT {amount} from your mobile balance for BD Voucher order #{number}. Valid for 5 minutes. Tell it to nobody.",
    "bn": "BD Voucher অর্ডার #{number}-এর জন্য মোবাইল ব্যালেন্স থেকে {amount} টাকা পরিশোধের কোড {password}। ৫ মিনিট কার্যকর। কাউকে বলবেন না।",
}

PAGE: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Pay with mobile balance",
        "total": "Total",
        "transaction": "Transaction",
        "number": "Mobile number to be charged",
        "numbers_of": "A number of",
        "send": "Send me a code",
        "again": "Send a new code",
        "sent": "We have sent a code to",
        "password": "Code",
        "confirm": "Charge",
        "cancel": "Cancel this payment",
        "consent": "By confirming you agree that this sum is taken from the balance, or added to the bill, of this number.",
        "over": "Nothing more can be sent for this payment. Cancel it and choose another way to pay.",
    },
    "bn": {
        "title": "মোবাইল ব্যালেন্স দিয়ে পরিশোধ",
        "total": "মোট",
        "transaction": "লেনদেন",
        "number": "যে মোবাইল নম্বর থেকে টাকা কাটা হবে",
        "numbers_of": "নম্বরটি হতে হবে",
        "send": "আমাকে কোড পাঠান",
        "again": "নতুন কোড পাঠান",
        "sent": "কোড পাঠানো হয়েছে এই নম্বরে:",
        "password": "কোড",
        "confirm": "পরিশোধ করুন",
        "cancel": "এই পেমেন্ট বাতিল করুন",
        "consent": "নিশ্চিত করলে এই পরিমাণ টাকা এই নম্বরের ব্যালেন্স থেকে কাটা হবে বা বিলে যোগ হবে, এতে আপনি সম্মত।",
        "over": "এই পেমেন্টের জন্য আর কোড পাঠানো যাবে না। বাতিল করে অন্যভাবে পরিশোধ করুন।",
    },
}

#: By what went wrong; texts of the services are for programmes.
PROBLEMS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "number": "We can't charge this number. Enter a number of the operators named below, or choose another way to pay.",
        "password": "This code is wrong or no longer valid.",
        "RATE_LIMITED": "Too many tries. Please wait a while.",
        "CONFLICT": "This is not possible any more for this payment.",
        "BAD_GATEWAY": "Your operator could not be reached. You were not charged. Please try again.",
        "UNAVAILABLE": "This does not work just now. Please try again in a minute.",
    },
    "bn": {
        "number": "এই নম্বর থেকে টাকা কাটা যায় না। নিচের অপারেটরের নম্বর দিন, অথবা অন্যভাবে পরিশোধ করুন।",
        "password": "কোডটি ভুল অথবা আর কার্যকর নয়।",
        "RATE_LIMITED": "অনেকবার চেষ্টা হয়েছে। কিছুক্ষণ অপেক্ষা করুন।",
        "CONFLICT": "এই পেমেন্টে এটি আর সম্ভব নয়।",
        "BAD_GATEWAY": "আপনার অপারেটরের সাড়া পাওয়া যায়নি। টাকা কাটা হয়নি। আবার চেষ্টা করুন।",
        "UNAVAILABLE": "এই মুহূর্তে কাজ করছে না। এক মিনিট পরে আবার চেষ্টা করুন।",
    },
}
