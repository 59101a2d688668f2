"""The container file, the compose file and the tasks' messages fit the code, without a docker."""

import inspect
import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from bdvoucher.celery import app
from bdvoucher.tests.test_env_example import example

app.loader.import_default_modules()
PROJECT = Path(settings.BASE_DIR)
COMPOSE = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
CONTAINER = (PROJECT / "deploy" / "Containerfile").read_text(encoding="utf-8")
OURS = ("migrate", "web", "worker", "teller", "beat")
#: Of the images of others, and of the build alone.
NOT_OURS = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "POSTGRES_PASSWORD"}


def test_every_process_of_the_shop_is_there():
    assert {"postgres", "valkey", *OURS} == set(COMPOSE["services"])
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["env_file"] == "../.env"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert {"postgres", "valkey"} <= set(service["depends_on"])
    assert COMPOSE["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_no_other_names_than_those_explained():
    known = {name for name, _ in example()} | NOT_OURS
    used = {name for each in OURS for name in COMPOSE["services"][each]["environment"]}
    used |= set(re.findall(r"\$\{(\w+)", (PROJECT / "deploy" / "compose.yaml").read_text()))
    joined = CONTAINER.replace("\\\n", " ")
    for line in re.findall(r"^(?:ENV|RUN) (.+)$", joined, re.MULTILINE):
        used |= set(re.findall(r"\b([A-Z][A-Z_]+)=", line))
    assert used - known == set()
    assert {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "STATIC_ROOT"} <= used


def queues(service):
    command = COMPOSE["services"][service]["command"]
    return set(command[command.index("-Q") + 1].split(","))


def test_somebody_listens_to_every_queue_that_is_used():
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    used = routed | {app.conf.task_default_queue}
    assert used <= queues("worker") | queues("teller")
    assert queues("teller") == {"webhooks"}
    assert not queues("teller") & queues("worker"), "a receiver that hangs holds up no order"


def test_the_image_holds_the_product_and_nothing_else():
    lines = CONTAINER.replace("\\\n", " ").splitlines()
    words = {line.split()[0] for line in lines if line and not line.startswith(("#", " "))}
    assert words <= {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "USER", "EXPOSE", "CMD"}
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert all((PROJECT / name).exists() for name in copied)
    apps = {
        name.split(".")[0]
        for name in settings.INSTALLED_APPS
        if (PROJECT / name.split(".")[0]).is_dir()
    }
    assert apps <= set(copied)
    assert not {"simulators", "tests", ".env"} & set(copied)
    assert "USER shop" in lines
    assert "--require-hashes" in CONTAINER


#: What the release before put into the broker, and what the one after may add.
MESSAGES = {
    "fulfillment.tasks.fulfil_order": {"order_id": 1},
    "notifications.tasks.deliver_email": {"message_id": 1},
    "payments.tasks.verify_payment": {"payment_id": 1},
    "payments.tasks.close_order": {"order_id": 1},
}


def test_old_messages_are_all_known():
    assert set(MESSAGES) <= set(app.tasks)


@pytest.mark.parametrize("name", sorted(n for n in app.tasks if not n.startswith("celery.")))
def test_a_task_takes_messages_of_the_release_before_and_after(name):
    called = inspect.signature(app.tasks[name].run)
    shape = MESSAGES.get(name)
    if shape is None:
        shape = {
            each.name: 1
            for each in called.parameters.values()
            if each.default is each.empty and each.kind is each.KEYWORD_ONLY
        }
    called.bind(**shape)
    called.bind(**shape, added_by_the_next_release="x")
