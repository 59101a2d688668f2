"""HTML from templates, with Django's engine used on its own (no settings, no database)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from django.template import Context, Engine

from .http import Response, html_response, json_response

ROOT: Final = Path(__file__).resolve().parent.parent
STATIC: Final = {
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "return.js": "text/javascript; charset=utf-8",
}


@cache
def engine() -> Engine:
    return Engine(dirs=[str(ROOT / "templates")])


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a template. Values are texts, lists and objects made of texts."""
    # Said here once, so that no rendering ever asks for Django's settings.
    context = Context(values, use_l10n=False, use_tz=False)
    return html_response(engine().get_template(template).render(context), status)


def static_file(name: str) -> Response:
    if name not in STATIC:
        return json_response({"message": "Not found"}, 404)
    body = (ROOT / "static" / name).read_bytes()
    return Response(200, body, STATIC[name], {"Cache-Control": "no-cache"})
