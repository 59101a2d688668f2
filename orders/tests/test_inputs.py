"""What a customer must tell us for a product (contract page bdvoucher, sections 3.2 and 4)."""

import pytest

from orders.inputs import checked_input

PLAYER = {
    "fields": [
        {"name": "player_id", "label": "Player ID", "required": True},
        {"name": "zone_id", "required": False},
    ]
}
EMAIL = {"fields": [{"name": "email", "required": True}]}


def checked(config, given, recipient=""):
    clean, problems = checked_input(config, given, recipient_email=recipient, path="items.0.input")
    return clean, [(each.field, each.code) for each in problems]


@pytest.mark.parametrize(
    ("config", "given", "clean"),
    [
        ({}, {}, {}),
        (PLAYER, {"player_id": "123"}, {"player_id": "123"}),
        (PLAYER, {"player_id": 123, "zone_id": " 7 "}, {"player_id": "123", "zone_id": "7"}),
        (PLAYER, {"player_id": "123", "zone_id": ""}, {"player_id": "123"}),
        (EMAIL, {"email": "a@b.example"}, {"email": "a@b.example"}),
    ],
)
def test_good_input_is_kept_as_text(config, given, clean):
    assert checked(config, given) == (clean, [])


def test_an_email_product_takes_the_orders_recipient():
    assert checked(EMAIL, {}, "gift@b.example") == ({"email": "gift@b.example"}, [])
    own = checked(EMAIL, {"email": "own@b.example"}, "gift@b.example")
    assert own == ({"email": "own@b.example"}, [])


@pytest.mark.parametrize(
    ("config", "given", "problems"),
    [
        (PLAYER, {}, [("items.0.input.player_id", "required")]),
        (PLAYER, {"player_id": "  "}, [("items.0.input.player_id", "required")]),
        (PLAYER, {"player_id": True}, [("items.0.input.player_id", "invalid")]),
        (PLAYER, {"player_id": ["1"]}, [("items.0.input.player_id", "invalid")]),
        (PLAYER, {"player_id": None}, [("items.0.input.player_id", "invalid")]),
        (PLAYER, {"player_id": "x" * 201}, [
            ("items.0.input.player_id", "too_long"), ("items.0.input.player_id", "required"),
        ]),
        (PLAYER, {"player_id": "1", "extra": "2"}, [("items.0.input.extra", "unknown")]),
        (PLAYER, {"player_id": "1", "uid": "2"}, [
            ("items.0.input", "mixed_identifiers"), ("items.0.input.uid", "unknown"),
        ]),
        (EMAIL, {"email": "nobody"}, [("items.0.input.email", "invalid")]),
        (EMAIL, {}, [("items.0.input.email", "required")]),
    ],
)  # fmt: skip
def test_bad_input_is_named(config, given, problems):
    assert checked(config, given)[1] == problems
