"""Tables refer downwards only: a foreign key by string is the one cycle no linter sees."""

import tomllib
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]


def order_of_apps():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if each["id"] == "apps"]
    return layers


def references():
    layers = order_of_apps()
    for model in apps.get_models():
        app = model._meta.app_label
        if app not in layers:
            continue
        for field in (*model._meta.fields, *model._meta.many_to_many):
            if field.is_relation:
                yield f"{model._meta.label}.{field.name}", app, field.related_model._meta.app_label


def test_every_reference_points_to_the_same_app_or_one_below():
    layers = order_of_apps()
    upwards = [
        name
        for name, app, target in references()
        if target in layers and layers.index(target) < layers.index(app)
    ]
    assert upwards == []


def test_the_cellar_points_at_nobody():
    assert [name for name, app, _ in references() if app == "core"] == []


def test_every_app_of_ours_is_in_the_list():
    ours = {app.label for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    assert ours - set(order_of_apps()) == set()
