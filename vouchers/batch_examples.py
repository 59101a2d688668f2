"""How imports are documented."""

from typing import Any, Final

from core.api.schema import example, page_of_one, refusal, sent

_READING: Final[dict[str, Any]] = {
    "id": 7,
    "status": "READING",
    "variant_id": 22405,
    "supplier": "Acme Vouchers",
    "unit_cost": 95.5,
    "file_name": "(API)",
    "problem": None,
    "rows_read": 0,
    "rows_good": 0,
    "rows_loaded": 0,
    "codes_added": 0,
    "created_at": "2026-04-27T14:22:00.000Z",
    "started_at": None,
    "ended_at": None,
}
_DONE: Final = {
    **_READING,
    "status": "DONE",
    "rows_read": 3,
    "rows_good": 2,
    "rows_loaded": 2,
    "codes_added": 2,
    "started_at": "2026-04-27T14:22:01.000Z",
    "ended_at": "2026-04-27T14:22:02.000Z",
}
_READY: Final = {**_READING, "status": "READY", "rows_read": 3, "rows_good": 2}
_NONE: Final = refusal(404, "There is no such import.")
IMPORT: Final = [
    sent(
        {
            "variant_id": 22405,
            "supplier": "Acme Vouchers",
            "unit_cost": 95.5,
            "codes": [
                {"code": "ABCD-1234-EFGH-5678", "pin": "0042"},
                {"code": "0000123456", "expires_at": "2027-12-31T17:59:59.000Z"},
            ],
        }
    ),
    example("Begun", _READING, "The codes are read in the background.", status=201),
    refusal(400, "There is no such variant.", "variant_id"),
]
LIST: Final = [
    example("Imports", page_of_one(_DONE, limit=20)),
    refusal(400, "page must be a whole number from 1 to 1000000.", "page"),
]
DETAIL: Final = [example("Import", _DONE), _NONE]
ROWS: Final = [
    example(
        "Left out",
        page_of_one(
            {"row": 3, "outcome": "held", "message": "We hold this code already.",
             "code": "\u2022\u2022\u2022\u20225678"},
            limit=50,
        ),
    ),
    refusal(400, "page must be a whole number from 1 to 1000000.", "page"),
    _NONE,
]  # fmt: skip
CONFIRM: Final = [
    example("Going in", {**_READY, "status": "LOADING", "started_at": _DONE["started_at"]},
            "The codes go into the pool in the background."),
    _NONE,
    refusal(409, "This import is not waiting: imported."),
]  # fmt: skip
CANCEL: Final = [
    example("Left", {**_READY, "status": "CANCELLED", "ended_at": _DONE["ended_at"]},
            "Nothing was imported."),
    _NONE,
    refusal(409, "Too late: being imported."),
]  # fmt: skip
