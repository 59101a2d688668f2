"""A release is put in while the workers of the last one go on (docs/deploy.md, Upgrading).

Their rows must still go into the new tables, and each must understand the other's tasks.
"""

import inspect

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from bdvoucher.celery import app

#: The last migration of each app that no shop ran without stopping; those after it are held.
FIRST_RELEASE = {
    "accounts": 3, "books": 4, "catalog": 2, "core": 2, "fulfillment": 8, "loyalty": 3,
    "notifications": 11, "orders": 8, "payments": 7, "vouchers": 8, "webhooks": 2,
}  # fmt: skip
TAKEN_AWAY = (
    migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel,
    migrations.AlterModelTable,
)  # fmt: skip


def objection(operation):
    """Why the last release could not work on a table after this; empty if it could."""
    if isinstance(operation, TAKEN_AWAY):
        return "it takes away what the last release reads"
    if isinstance(operation, migrations.AddField):
        field = operation.field
        filled = field.null or field.db_default is not models.NOT_PROVIDED
        if not (filled or field.many_to_many):
            return "the last release gives it no value, and the database has none"
    return ""


def ours():
    loader = MigrationLoader(None, ignore_no_migrations=True)
    own = {each.label for each in apps.get_app_configs() if "site-packages" not in each.path}
    return {key: found for key, found in loader.disk_migrations.items() if key[0] in own}


def test_the_last_release_can_work_on_the_tables_of_the_next():
    found = {
        f"{label} {name}: {operation.describe()}": objection(operation)
        for (label, name), migration in ours().items()
        if int(name[:4]) > FIRST_RELEASE.get(label, 0)
        for operation in migration.operations
    }
    assert {what: why for what, why in found.items() if why} == {}


def test_no_app_is_forgotten():
    assert {label for label, _ in ours()} == set(FIRST_RELEASE)


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        (migrations.AddField("order", "n", models.IntegerField(default=0)), True),
        (migrations.AddField("order", "n", models.IntegerField(default=0, db_default=0)), False),
        (migrations.AddField("order", "n", models.IntegerField(null=True)), False),
        (migrations.RemoveField("order", "n"), True),
        (migrations.RenameField("order", "n", "m"), True),
    ],
)
def test_what_is_refused(operation, refused):
    assert bool(objection(operation)) is refused


def test_every_task_takes_what_a_later_release_may_add():
    tasks = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert len(tasks) > 10
    for task in tasks:
        kinds = {each.kind for each in inspect.signature(task.run).parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD in kinds, task.name
        assert kinds <= {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}, task.name
