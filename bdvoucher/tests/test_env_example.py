"""`.env.example` and the code speak of the same variables, with the same defaults."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

PROJECT = Path(settings.BASE_DIR)
EXAMPLE = PROJECT / ".env.example"
READ = re.compile(r"\b(?:env\.\w+|seconds)\(\s*[\"']([A-Z][A-Z0-9_]+)[\"']")
#: Read before there are any settings, by `run` and by `bdvoucher/local`.
READ_LOCALLY = re.compile(r"\$\{([A-Z][A-Z_]+):-|(?:environ\.get|_named)\(\s*\"([A-Z][A-Z_]+)\"")
DEFAULT = re.compile(
    r"\b(?:env\.(?:str|int|float)|seconds)\(\s*[\"']([A-Z][A-Z0-9_]+)[\"'],\s*([^)]+)\)"
)
#: Set by the tests' own plugin, or by others for us.
NOT_OURS = re.compile(r"BDV_TEST_|BDV_DEV|PYTEST_|DATABASE_URL|XDG_|PATH|HOME")


def example() -> Iterator[tuple[str, str]]:
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line):
            yield match[1], match[2]


def sources(folder: str) -> str:
    files = sorted((PROJECT / "bdvoucher" / folder).glob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def read_by_settings() -> set[str]:
    return set(READ.findall(sources("settings")))


def read_locally() -> set[str]:
    text = sources("local") + (PROJECT / "run").read_text(encoding="utf-8")
    names = {name for pair in READ_LOCALLY.findall(text) for name in pair if name}
    return {name for name in names if not NOT_OURS.match(name)} | {"BDV_DEV"}


def test_every_variable_that_is_read_is_explained():
    assert (read_by_settings() | read_locally()) - {name for name, _ in example()} == set()


def test_every_variable_that_is_explained_is_read():
    known = read_by_settings() | read_locally() | {"DJANGO_SETTINGS_MODULE"}
    assert {name for name, _ in example()} - known == set()


def test_none_is_explained_twice():
    names = [name for name, _ in example()]
    assert len(names) == len(set(names))


def test_no_secret_has_a_value():
    secret = re.compile(r"_(KEY|KEYS|SECRET|PASSWORD|USERNAME|TOKEN|MERCHANT_ID)$")
    assert [name for name, value in example() if secret.search(name) and value] == []


@pytest.mark.parametrize(("name", "default"), DEFAULT.findall(sources("settings")))
def test_the_default_shown_is_the_default(name, default):
    shown = dict(example())[name]
    if re.fullmatch(r"[\d_.* ]+", default):
        factors = [float(part) for part in default.replace("_", "").split("*")]
        product = 1.0
        for factor in factors:
            product *= factor
        assert float(shown) == product
    elif default.startswith('"'):
        assert shown == default.strip('"')
