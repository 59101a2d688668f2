# ruff: noqa: E501 - sentences are read best on one line each; Bangla has its own marks
"""What a customer reads of an order's state, in English and Bangla (D26).

NEEDS_ATTENTION never says "failed" and shows nothing of our insides.
"""

from collections.abc import Mapping
from typing import Final

from orders.states import OrderStatus

S = OrderStatus

WORDS: Final[Mapping[str, Mapping[OrderStatus, tuple[str, str]]]] = {
    "en": {
        S.INITIATED: (
            "Awaiting payment",
            "Your order is placed. Complete the payment to receive your vouchers.",
        ),
        S.CARRIER_AUTHORIZED: (
            "Confirming payment",
            "Your mobile operator is confirming the payment. This can take a moment.",
        ),
        S.PENDING: ("Preparing", "Your payment is received. We are preparing your vouchers."),
        S.SUCCEEDED: ("Delivered", "Your vouchers are delivered. We have e-mailed them to you."),
        S.NEEDS_ATTENTION: (
            "In progress",
            "Your payment is safe with us. Delivery takes longer than usual; our team is on it and you need to do nothing.",
        ),
        S.FAILED: (
            "Payment failed",
            "The payment did not go through and you were not charged. You can try again.",
        ),
        S.CANCELLED: ("Cancelled", "This order was cancelled before payment."),
    },
    "bn": {
        S.INITIATED: ("পেমেন্টের অপেক্ষায়", "আপনার অর্ডার নেওয়া হয়েছে। ভাউচার পেতে পেমেন্ট সম্পন্ন করুন।"),
        S.CARRIER_AUTHORIZED: (
            "পেমেন্ট নিশ্চিত হচ্ছে",
            "আপনার মোবাইল অপারেটর পেমেন্ট নিশ্চিত করছে। একটু সময় লাগতে পারে।",
        ),
        S.PENDING: ("প্রস্তুত হচ্ছে", "আপনার পেমেন্ট পেয়েছি। আমরা আপনার ভাউচার প্রস্তুত করছি।"),
        S.SUCCEEDED: ("পৌঁছে গেছে", "আপনার ভাউচার পৌঁছে গেছে। আমরা আপনাকে ই-মেইলে পাঠিয়েছি।"),
        S.NEEDS_ATTENTION: (
            "কাজ চলছে",
            "আপনার টাকা নিরাপদ আছে। ডেলিভারিতে একটু বেশি সময় লাগছে; আমাদের দল কাজ করছে, আপনাকে কিছু করতে হবে না।",
        ),
        S.FAILED: ("পেমেন্ট হয়নি", "পেমেন্ট সম্পন্ন হয়নি এবং আপনার টাকা কাটা হয়নি। আবার চেষ্টা করতে পারেন।"),
        S.CANCELLED: ("বাতিল", "পেমেন্টের আগে এই অর্ডারটি বাতিল হয়েছে।"),
    },
}


#: A paid order that owes nothing any more, since it was paid back (D42).
REFUNDED: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Refunded",
        "What we could not deliver is refunded. The money goes back the way you paid; this can take some days.",
    ),
    "bn": (
        "টাকা ফেরত",
        "যা পৌঁছে দিতে পারিনি তার টাকা ফেরত দেওয়া হয়েছে। যেভাবে দিয়েছিলেন সেভাবেই ফেরত যাবে; কয়েক দিন লাগতে পারে।",
    ),
}


def label_and_message(status: str, language: str, *, refunded: bool = False) -> tuple[str, str]:
    if refunded:
        return REFUNDED.get(language, REFUNDED["en"])
    return WORDS.get(language, WORDS["en"])[OrderStatus(status)]
