"""People to test with: `UserFactory()` is a customer, `UserFactory(operator=True)` one of ours."""

from typing import Any

import factory
from django.contrib.auth.models import Group

from accounts.authentication import ADMIN, CLIENT, tokens_for
from accounts.models import User

PASSWORD = "correct-horse-battery"


def bearer(user: User) -> dict[str, str]:
    """The header for the door that is this user's: `client.get(url, **bearer(user))`."""
    access, _ = tokens_for(user, door=ADMIN if user.is_staff else CLIENT)
    return {"HTTP_AUTHORIZATION": f"Bearer {access}"}


def _joining(group: str) -> factory.PostGeneration:
    def join(user: User, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            user.groups.add(Group.objects.get(name=group))

    return factory.PostGeneration(join)


class UserFactory(factory.django.DjangoModelFactory):
    """A customer whose password is `PASSWORD`; traits `staff`, `support`, `operator`, `finance`,
    `owner` (a superuser) make one of ours, in the group of that name.
    """

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        staff = factory.Trait(
            is_staff=True,
            msisdn=None,
            email=factory.Sequence(lambda n: f"staff{n}@bdvoucher.com"),
        )
        support = factory.Trait(staff=True, member=_joining("support"))
        operator = factory.Trait(staff=True, member=_joining("operator"))
        finance = factory.Trait(staff=True, member=_joining("finance"))
        owner = factory.Trait(staff=True, is_superuser=True, member=_joining("owner"))

    msisdn = factory.Sequence(lambda n: f"88017{n:08d}")
    email = factory.Sequence(lambda n: f"customer{n}@example.com")
    name = "Rahim Uddin"
    password = factory.django.Password(PASSWORD)
