import pytest

from accounts.models import User
from accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def test_an_owner_makes_staff_who_can_sign_in(client):
    client.force_login(UserFactory(owner=True))
    page = {"email": "new@bdvoucher.com", "name": "New", "password": PASSWORD}
    assert client.post("/admin/accounts/user/add/", page).status_code == 302
    made = User.objects.get(email="new@bdvoucher.com")
    assert made.is_staff
    assert made.check_password(PASSWORD)
    for url in ("/admin/accounts/user/", f"/admin/accounts/user/{made.pk}/change/"):
        assert client.get(url).status_code == 200


def test_an_operator_sees_no_accounts(client):
    client.force_login(UserFactory(operator=True))
    assert client.get("/admin/accounts/user/").status_code == 403
