"""The contract of all gateways, and the operators' words, against canned answers."""

import json
from dataclasses import replace
from typing import Any

import pytest
import responses
from django.conf import settings as django_settings

from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.tests.wire import whole_text
from payments.gateways.base import Claim, Known, Outcome, PaymentGateway
from payments.gateways.carriers.base import WrongCode
from payments.gateways.dcb import DcbGateway, external_id
from payments.gateways.tests import dcb_answers as said
from payments.gateways.tests.canned import AMOUNT, OTHER_AMOUNT, REFERENCE, REQUEST, Canned, known
from payments.gateways.tests.contract import GatewayContract
from payments.gateways.tests.dcb_answers import (
    APPLINK,
    BDAPPS,
    DEBIT,
    EXTERNAL,
    OTP,
    banglalink,
    coded,
    gateway,
    notice,
    robi,
)

SENT = known(EXTERNAL, execute_sent=True)


class CannedDcb(Canned):
    """bdapps, whose repeated debit is the question; Applink where only a notification can tell."""

    gateway: DcbGateway

    def payment(self, situation: str) -> Known:
        if situation == "not_paid_yet":
            return replace(known(EXTERNAL), consent=robi(given=False))
        if situation == "paid_wrong_sum":
            part = notice(paidAmount=str(OTHER_AMOUNT), balanceDue="1485.00")
            return replace(SENT, consent=banglalink(part))
        self.wire.post(self.verify_url, **self.verifying[situation])
        return replace(SENT, consent=robi())


class CarrierContract(GatewayContract):
    """The page to pay on is ours: it opens always; what may be refused is the operator's first
    step, the password (dcb.md 4, call 1)."""

    secrets = said.SECRETS
    needed = tuple(
        f"DCB_{carrier}_{what}"
        for carrier in ("BDAPPS", "APPLINK")
        for what in ("BASE_URL", "APP_ID", "PASSWORD", "INSTRUMENT")
    )

    def begin(self, world: Any) -> object:
        return world.gateway.begin(known(EXTERNAL), "applink", said.BANGLALINK)

    @pytest.mark.parametrize(
        ("situation", "kind"),
        [
            ("refused", Declined),
            ("bad_credentials", Misconfigured),
            ("rate_limited", Unavailable),
            ("no_connection", Unavailable),
        ],
    )
    def test_session_is_refused(
        self, world: Any, situation: str, kind: type[ProviderError]
    ) -> None:
        world.next_session(situation)

        with pytest.raises(kind):
            self.begin(world)

    def test_session_with_an_unclear_answer_may_exist(
        self, world: Any, unsure_situation: str
    ) -> None:
        world.next_session(unsure_situation)

        with pytest.raises(OutcomeUnknown):
            self.begin(world)

    def test_no_secret_is_shown(
        self, world: Any, unsure_situation: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        world.next_session(unsure_situation)

        with pytest.raises(ProviderError) as caught:
            self.begin(world)

        shown = repr(world.gateway) + whole_text(caught.value) + caplog.text
        assert [secret for secret in self.secrets if secret in shown] == []

    def callbacks(self, payment: Known) -> list[dict[str, Any]]:
        external = payment.gateway_reference
        body = notice(externalTrxId=external).encode()
        return [
            {"query": {"externalTrxId": external}, "body": b"", "content_type": ""},
            {"query": {"reference": payment.reference}, "body": b"", "content_type": ""},
            {"query": {}, "body": body, "content_type": "application/json"},
        ]

    def from_settings(self) -> PaymentGateway:
        assert django_settings.DCB_CARRIERS == ["bdapps", "applink"]
        return DcbGateway.from_settings(1.0)


class TestDcb(CarrierContract):
    @pytest.fixture
    def world(self, wire: responses.RequestsMock) -> CannedDcb:
        return CannedDcb(
            wire,
            gateway(),
            open_url=APPLINK + DEBIT,
            opening=said.OPENING,
            verify_url=BDAPPS + DEBIT,
            verifying=said.VERIFYING,
            gateway_reference=EXTERNAL,
        )


# Our own page and names.


def test_the_page_is_ours_and_nobody_is_asked(wire):
    session = gateway().open_session(REQUEST)

    assert session.gateway_reference == EXTERNAL == external_id(REFERENCE)
    assert session.redirect_url.startswith("https://shop.example/payments/carrier/")
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("number", "slug"),
    [
        ("8801812345678", "bdapps"),
        ("8801612345678", "bdapps"),
        ("8801912345678", "applink"),
        ("8801412345678", "applink"),
    ],
)
def test_the_number_finds_its_operator(number, slug):
    assert gateway().carrier_of(number).slug == slug


@pytest.mark.parametrize("number", ["8801712345678", "8801312345678", "8801512345678"])
def test_operators_without_a_public_contract_are_not_offered(number):
    with pytest.raises(Declined, match="Robi or Airtel, Banglalink"):
        gateway().carrier_of(number)


@pytest.mark.parametrize(
    ("sender", "believed"),
    [
        ("203.0.113.9", True),
        ("2001:db8::1", True),
        ("203.0.114.9", False),
        ("127.0.0.1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_notification_is_believed_from_the_operators_addresses_only(sender, believed):
    assert gateway().believes(sender) is believed


@pytest.mark.parametrize("external", ["BDV1", "BDV48213377", "XYZ482133771", "BDV482133771' --"])
def test_a_foreign_id_names_nothing(external):
    body = json.dumps({"externalTrxId": external}).encode()
    claim = gateway().read_callback(query={}, body=body, content_type="application/json")
    assert claim == Claim()


def test_an_operator_that_is_switched_off_is_a_matter_of_configuration(settings):
    only = replace(gateway(), carriers={})
    with pytest.raises(Misconfigured, match="bdapps"):
        only.verify(replace(SENT, consent=robi()))
    settings.DCB_CARRIERS = ["grameen"]
    with pytest.raises(Misconfigured, match="DCB_CARRIERS"):
        DcbGateway.from_settings(1.0)


# The state machine.


def test_nothing_is_sent_before_consent(wire):
    for payment in (known(EXTERNAL), replace(known(EXTERNAL), consent=robi(given=False))):
        verdict = gateway().verify(payment)
        assert verdict.outcome is Outcome.PENDING
        assert not gateway().ready_to_capture(verdict)
    assert len(wire.calls) == 0


def test_consent_makes_it_ready_and_a_sent_charge_never_again():
    assert gateway().ready_to_capture(gateway().verify(replace(known(EXTERNAL), consent=robi())))


def test_a_charge_and_its_repetition_are_word_for_word_the_same(wire):
    wire.post(BDAPPS + DEBIT, **coded("E1601"))
    payment = replace(SENT, consent=robi())

    assert gateway().capture(payment).outcome is Outcome.AUTHORIZED
    gateway().verify(payment)

    first, second = (json.loads(call.request.body) for call in wire.calls)
    assert first == second
    assert first == {
        "applicationId": "APP_1",
        "password": said.SECRETS[0],
        "externalTrxId": EXTERNAL,
        "subscriberId": said.ROBI,
        "paymentInstrumentName": "MobileAccount",
        "amount": "1500.00",
        "currency": "BDT",
    }


def test_a_masked_subscriber_is_just_a_text(wire):
    wire.post(BDAPPS + DEBIT, **coded("S1000", internalTrxId="1"))
    gateway().capture(replace(SENT, consent=replace(robi(), subscriber="AZ110abc")))
    assert json.loads(wire.calls[0].request.body)["subscriberId"] == "AZ110abc"


# bdapps, section 3: code -> what the first request and what its repetition make of it.
A, F, C, P, U = (
    Outcome.AUTHORIZED,
    Outcome.FAILED,
    Outcome.CANCELLED,
    Outcome.PAID,
    Outcome.UNKNOWN,
)
CODES = [
    ("S1000", P, P),
    ("E1379", P, P),
    ("E1337", A, U),
    ("E1378", F, F),
    ("E1326", F, F),
    ("E1328", F, F),
    ("E1309", F, F),
    ("E1329", F, F),
    ("E1330", F, F),
    ("E1317", F, F),
    ("E1325", F, F),
    ("E1342", F, F),
    ("E1336", F, F),
    ("E1376", F, F),
    ("E1343", Misconfigured, Misconfigured),
    ("E1380", Misconfigured, Misconfigured),
    ("E1303", Misconfigured, Misconfigured),
    ("E1313", Misconfigured, Misconfigured),
    ("E1312", Misconfigured, Misconfigured),
    ("E1605", Misconfigured, Misconfigured),
    ("E1318", Unavailable, Unavailable),
    ("E1319", Unavailable, Unavailable),
    ("E1406", C, F),
    ("E1405", C, F),
    ("E1308", A, F),
    ("E1404", A, F),
    ("E1601", A, U),
    ("E1603", A, U),
    ("X9999", A, U),
]


def outcome_of(call: Any) -> object:
    try:
        return call().outcome
    except ProviderError as exc:
        return type(exc)


@pytest.mark.parametrize(("code", "first", "again"), CODES, ids=[row[0] for row in CODES])
def test_what_a_code_of_bdapps_means(wire, code, first, again):
    wire.post(BDAPPS + DEBIT, **coded(code, internalTrxId="4711"))
    payment = replace(SENT, consent=robi())

    assert outcome_of(lambda: gateway().capture(payment)) == first
    assert outcome_of(lambda: gateway().verify(payment)) == again


@pytest.mark.parametrize(
    ("situation", "first"),
    [
        ("silence", A),
        ("cut", A),
        ("html", A),
        ("empty", A),
        ("server_error", A),
        ("message_only", A),
        ("no_connection", Unavailable),
        ("rate_limited", Unavailable),
    ],
)
def test_a_charge_without_a_clear_answer(wire, situation, first):
    from core.tests.wire import TRANSPORT

    wire.post(BDAPPS + DEBIT, **TRANSPORT[situation])

    assert outcome_of(lambda: gateway().capture(replace(SENT, consent=robi()))) == first


def test_completed_without_an_id_of_theirs_is_known_by_ours(wire):
    wire.post(BDAPPS + DEBIT, **coded("E1379", externalTrxId=None))

    verdict = gateway().verify(replace(SENT, consent=robi()))

    assert (verdict.outcome, verdict.gateway_transaction_id) == (P, EXTERNAL)
    assert verdict.amount == AMOUNT


# Applink, section 4.


def test_the_first_step(wire):
    wire.post(APPLINK + DEBIT, **said.begun())

    started = gateway().begin(known(EXTERNAL), "applink", said.BANGLALINK)

    assert (started.correlator, started.internal_id) == ("C1", "77")
    sent = json.loads(wire.calls[0].request.body)
    assert sent["Currency"] == "BDT"
    assert "currency" not in sent
    assert (sent["externalTrxId"], sent["subscriberId"]) == (EXTERNAL, said.BANGLALINK)


@pytest.mark.parametrize(
    "answer",
    [
        said.begun(requestCorrelator=None),
        said.begun(internalTrxId=None),
        said.begun(externalTrxId="BDV111111111"),
        coded("S1000", internalTrxId="77"),
        coded("E1337"),
        coded("E1601"),
    ],
)
def test_an_unclear_first_step_is_not_used(wire, answer):
    wire.post(APPLINK + DEBIT, **answer)
    with pytest.raises(OutcomeUnknown):
        gateway().begin(known(EXTERNAL), "applink", said.BANGLALINK)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("S1000", A),
        ("E1852", A),
        ("E1601", A),
        ("X9999", A),
        ("E1850", WrongCode),
        ("E1856", WrongCode),
        ("E1851", C),
        ("E1853", F),
        ("E1855", F),
        ("E1378", F),
        ("E1313", Misconfigured),
        ("E1318", Unavailable),
    ],
)
def test_what_an_answer_to_the_password_means(wire, code, outcome):
    wire.post(APPLINK + OTP, **coded(code))

    found = outcome_of(lambda: gateway().capture(replace(SENT, consent=banglalink()), "123456"))

    assert found == outcome
    sent = json.loads(wire.calls[0].request.body)
    assert (sent["referenceNo"], sent["otp"]) == ("C1", "123456")
    assert sent["sourceAddress"] == said.BANGLALINK


@pytest.mark.parametrize(
    ("notices", "outcome"),
    [
        ([], Outcome.PENDING),
        ([notice()], P),
        ([notice("E1378")], F),
        ([notice("E1406")], F),
        ([notice("E1404")], F),
        ([notice("E1337")], U),
        ([notice(None)], U),
        ([notice(paidAmount=None)], U),
        ([notice(currency=None)], U),
        ([notice(internalTrxId="78")], Outcome.PENDING),
        ([notice(internalTrxId=None)], Outcome.PENDING),
        ([notice(externalTrxId="BDV111111111")], Outcome.PENDING),
        ([notice()[:-9], "", "[]", "[" * 60_000], Outcome.PENDING),
        ([notice(), notice()], P),
        ([notice("E1378"), notice()], P),
        ([notice(), notice("E1378")], P),
        ([notice(internalTrxId="78"), notice()], P),
    ],
)
def test_what_notifications_say(wire, notices, outcome):
    verdict = gateway().verify(replace(SENT, consent=banglalink(*notices)))

    assert verdict.outcome is outcome
    assert len(wire.calls) == 0


def test_a_confirmed_charge():
    verdict = gateway().verify(replace(SENT, consent=banglalink(notice())))
    assert (verdict.amount, verdict.currency) == (AMOUNT, "BDT")
    assert verdict.gateway_transaction_id == "77"
    assert "1500.00" in verdict.evidence["paidAmount"]


def test_a_part_or_another_currency_is_reported_not_judged():
    part = notice(paidAmount="700.00", balanceDue="800.00")
    verdict = gateway().verify(replace(SENT, consent=banglalink(part)))
    assert verdict.amount is not None
    assert str(verdict.amount) == "700.00"
    assert "800.00 BDT are still due" in verdict.reason
    dollars = gateway().verify(replace(SENT, consent=banglalink(notice(currency="USD"))))
    assert dollars.currency == "USD"


def test_without_the_first_steps_id_no_notification_is_ours():
    nameless = replace(banglalink(notice(internalTrxId="")), internal_id="")
    assert gateway().verify(replace(SENT, consent=nameless)).outcome is Outcome.PENDING


def test_late_money_of_a_charge_whose_password_never_came():
    verdict = gateway().verify(replace(known(EXTERNAL), consent=banglalink(notice())))
    assert verdict.outcome is P
