"""What PostgreSQL refuses, and by which name."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """The block breaks this constraint, at once or when its transaction would end."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():  # noqa: PT012
        yield
        connection.check_constraints()
    assert caught.value.__cause__.diag.constraint_name == constraint
