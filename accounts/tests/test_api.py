"""Registration, sign-in, tokens and profile over HTTP (contract page bdvoucher, section 2)."""

import threading

import pytest
from django.db import connection

from accounts.authentication import ADMIN, CLIENT, tokens_for
from accounts.models import User
from accounts.tests.factories import PASSWORD, UserFactory, bearer

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


def post(api, path, status=200, **body):
    answer = api.post(f"{V1}/{path}", body, format="json")
    assert answer.status_code == status, answer.content
    return answer.json()


@pytest.mark.parametrize(
    "typed",
    [
        "+88 01712 345678",
        "(01712) 345678",
        "1712345678",
        "01712345678",
        "+880 1712-345678",
        "8801712345678",
        "008801712345678",
        "০১৭১২৩৪৫৬৭৮",
    ],
)
def test_a_number_may_be_written_as_people_type_it(api, typed):
    UserFactory(msisdn="8801712345678")
    assert post(api, "auth/user-exist", msisdn=typed)["data"] == {"exists": True}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "0271234567",
        "+14155552671",
        "01712345678 ext 5",
        "x" * 200,
        "\u0000",
        5,
        "01212345678",
    ],
)
def test_other_numbers_are_refused_by_name(api, typed):
    error = post(api, "auth/user-exist", 400, msisdn=typed)["error"]
    assert error["details"][0]["field"] == "msisdn"


def test_registration_from_number_to_first_call(api, phone):
    number = "01812345678"
    assert post(api, "auth/user-exist", msisdn=number)["data"] == {"exists": False}
    sent = post(api, "auth/send-otp", msisdn=number)
    assert sent["data"] == {"expiresIn": 300, "resendIn": 30}
    assert phone.messages[0][0] == "8801812345678"
    proof = post(api, "auth/verify-otp", msisdn=number, otp=phone.code)["data"]
    made = post(
        api, "auth/sign-up", 201,
        verificationToken=proof["verificationToken"], password="a-long-one", name="Karim",
    )  # fmt: skip
    assert made["data"]["user"]["msisdn"] == "8801812345678"
    headers = {"HTTP_AUTHORIZATION": f"Bearer {made['data']['accessToken']}"}
    profile = api.get(f"{V1}/user/profile", **headers).json()["data"]
    assert profile["name"] == "Karim"
    assert profile["createdAt"].endswith("Z")
    again = post(
        api, "auth/sign-up", 409,
        verificationToken=proof["verificationToken"], password="a-long-one",
    )  # fmt: skip
    assert again["error"]["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("header", "said", "kept"),
    [("bn-BD,bn;q=0.9", None, "bn"), ("fr", None, "en"), ("bn", "en", "en"), ("", None, "en")],
)
def test_a_new_account_speaks_the_language_of_its_client(api, phone, header, said, kept):
    post(api, "auth/send-otp", msisdn="01712345678")
    proof = post(api, "auth/verify-otp", msisdn="01712345678", otp=phone.code)["data"]
    body = {"verificationToken": proof["verificationToken"], "password": PASSWORD}
    answer = api.post(
        f"{V1}/auth/sign-up", body | ({"language": said} if said else {}), format="json",
        HTTP_ACCEPT_LANGUAGE=header,
    )  # fmt: skip
    assert answer.status_code == 201
    assert User.objects.get().language == kept


def test_sign_up_refuses_a_forged_proof_and_a_weak_password(api, phone):
    body = {"verificationToken": "forged", "password": "a-long-one"}
    assert post(api, "auth/sign-up", 400, **body)["error"]["details"][0]["field"] == (
        "verificationToken"
    )
    post(api, "auth/send-otp", msisdn="01812345678")
    proof = post(api, "auth/verify-otp", msisdn="01812345678", otp=phone.code)["data"]
    weak = {"verificationToken": proof["verificationToken"], "password": "password"}
    assert post(api, "auth/sign-up", 400, **weak)["error"]["details"][0]["field"] == "password"
    assert not User.objects.exists()


def test_sign_in_answers_exactly_as_the_contract_says(api):
    user = UserFactory()
    answer = post(api, "auth/sign-in", msisdn=user.msisdn, password=PASSWORD)
    assert answer == {
        "success": True,
        "message": "Login successful",
        "data": {
            "accessToken": answer["data"]["accessToken"],
            "refreshToken": answer["data"]["refreshToken"],
            "user": {
                "id": user.pk, "msisdn": user.msisdn, "name": user.name, "email": user.email,
            },
        },
    }  # fmt: skip


def test_wrong_unknown_switched_off_and_staff_are_refused_alike(api):
    user, off = UserFactory(), UserFactory(is_active=False)
    staff = UserFactory(staff=True, msisdn="8801912345678")
    bodies = [
        {"msisdn": user.msisdn, "password": "wrong"},
        {"msisdn": "8801612345678", "password": PASSWORD},
        {"msisdn": off.msisdn, "password": PASSWORD},
        {"msisdn": staff.msisdn, "password": PASSWORD},
    ]
    answers = [post(api, "auth/sign-in", 401, **body) for body in bodies]
    assert {answer["message"] for answer in answers} == {"Wrong mobile number or password."}
    assert answers[0]["error"]["code"] == "UNAUTHORIZED"


def test_an_unknown_number_costs_a_hash_too(api, monkeypatch):
    hashed = []
    monkeypatch.setattr("accounts.backends.make_password", hashed.append)
    post(api, "auth/sign-in", 401, msisdn="8801612345678", password=PASSWORD)
    assert hashed == [PASSWORD]


def test_unknown_body_fields_are_refused_by_name(api):
    body = {"msisdn": "01712345678", "password": "x", "remember": True}
    details = post(api, "auth/sign-in", 400, **body)["error"]["details"]
    assert details == [{"field": "remember", "code": "unknown", "message": "Unknown field."}]


def test_refresh_rotates_and_the_old_one_is_dead(api):
    _, refresh = tokens_for(UserFactory(), door=CLIENT)
    fresh = post(api, "auth/refresh-token", refreshToken=refresh)["data"]
    assert set(fresh) == {"accessToken", "refreshToken"}
    post(api, "auth/refresh-token", 401, refreshToken=refresh)
    post(api, "auth/refresh-token", refreshToken=fresh["refreshToken"])


def test_sign_out_revokes_and_may_be_repeated(api):
    _, refresh = tokens_for(UserFactory(), door=CLIENT)
    post(api, "auth/sign-out", refreshToken=refresh)
    post(api, "auth/sign-out", refreshToken=refresh)
    post(api, "auth/sign-out", refreshToken="rubbish")
    post(api, "auth/refresh-token", 401, refreshToken=refresh)


@pytest.mark.django_db(transaction=True)
def test_two_refreshes_at_once_have_one_winner(api):
    from accounts.services import renew
    from accounts.services.sessions import Refused

    _, refresh = tokens_for(UserFactory(), door=CLIENT)
    barrier, results = threading.Barrier(2), []

    def run():
        barrier.wait()
        try:
            renew(refresh, door=CLIENT)
            results.append("ok")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["ok", "refused"]


@pytest.mark.parametrize("path", ["auth/refresh-token", "admin/auth/refresh-token"])
def test_an_access_token_refreshes_nothing(api, path):
    access, _ = tokens_for(UserFactory(), door=CLIENT)
    post(api, path, 401, refreshToken=access)


def test_no_token_of_one_door_opens_the_other(api):
    customer, staff = UserFactory(), UserFactory(operator=True)
    _, of_customer = tokens_for(customer, door=CLIENT)
    _, of_staff = tokens_for(staff, door=ADMIN)
    post(api, "admin/auth/refresh-token", 401, refreshToken=of_customer)
    post(api, "auth/refresh-token", 401, refreshToken=of_staff)
    # A token made for the wrong door by mistake is worth nothing either.
    access, refresh = tokens_for(staff, door=CLIENT)
    post(api, "auth/refresh-token", 401, refreshToken=refresh)
    for header in (bearer(staff), {"HTTP_AUTHORIZATION": f"Bearer {access}"}):
        assert api.get(f"{V1}/user/profile", **header).status_code == 401
    # And neither door signs out the other's sessions.
    post(api, "admin/auth/sign-out", refreshToken=of_customer)
    post(api, "auth/refresh-token", refreshToken=of_customer)


def test_without_token_the_answer_is_401_in_the_envelope(api):
    answer = api.get(f"{V1}/user/profile")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_switched_off_account_is_out_at_once(api):
    user = UserFactory()
    header = bearer(user)
    assert api.get(f"{V1}/user/profile", **header).status_code == 200
    User.objects.update(is_active=False)
    assert api.get(f"{V1}/user/profile", **header).status_code == 401


def test_profile_changes_what_is_sent_and_never_the_number(api):
    user = UserFactory()
    url, header = f"{V1}/user/profile", bearer(user)
    changed = api.patch(url, {"language": "bn"}, format="json", **header).json()
    assert changed["data"]["language"] == "bn"
    assert changed["data"]["name"] == user.name
    assert api.patch(url, {"msisdn": "0181"}, format="json", **header).status_code == 400
    assert api.patch(url, {"email": "x"}, format="json", **header).status_code == 400


def test_staff_sign_in(api):
    staff = UserFactory(operator=True, email="Ops@bdvoucher.com")
    answer = post(api, "admin/auth/login", email="ops@bdvoucher.com", password=PASSWORD)
    assert answer["message"] == "Login successful"
    assert answer["data"]["user"] == {
        "id": staff.pk, "msisdn": None, "name": staff.name, "email": staff.email,
        "groups": ["operator"],
    }  # fmt: skip
    customer = UserFactory(email="me@example.com")
    post(api, "admin/auth/login", 401, email=customer.email, password=PASSWORD)
    post(api, "admin/auth/refresh-token", refreshToken=answer["data"]["refreshToken"])
