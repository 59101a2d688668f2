"""Setting up one's second factor on the operators' site."""

from typing import Any, cast

import segno
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import User
from accounts.services import (
    begin_second_factor,
    confirm_second_factor,
    drop_second_factor,
    has_second_factor,
    knows_password,
    passes_second_factor,
)
from core.errors import DomainError


class CodeForm(forms.Form):
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    off = forms.BooleanField(required=False, widget=forms.HiddenInput)


@sensitive_post_parameters()
def second_factor_page(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
    """GET shows the key until it is confirmed; POST confirms it, or switches it off by a code.

    Both want the password again: a desk left open must not change the way in (ASVS 7.5.1).
    """
    user = cast("User", request.user)
    form = CodeForm(request.POST or None)
    codes: list[str] = []
    if form.is_valid():
        try:
            if not knows_password(user, form.cleaned_data["password"]):
                form.add_error("password", "This is not your password.")
            elif form.cleaned_data["off"]:
                return _switched_off(request, user, form.cleaned_data["code"])
            else:
                codes = confirm_second_factor(user, form.cleaned_data["code"], now=timezone.now())
        except DomainError as exc:
            form.add_error("code", exc.message)
    on = has_second_factor(user)
    key, link = ("", "") if on else begin_second_factor(user)
    context = shown | {
        "title": "Second factor", "form": form, "on": on, "codes": codes, "link": link,
        "picture": picture_of(link) if link else "",
        "key": " ".join(key[place : place + 4] for place in range(0, len(key), 4)),
    }  # fmt: skip
    response = TemplateResponse(request, "admin/second_factor.html", context)
    add_never_cache_headers(response)
    return response


def picture_of(link: str) -> SafeString:
    """The link for the camera of a phone, drawn here: the key is told to nobody else."""
    drawn = segno.make(link, micro=False).svg_inline(
        omitsize=True,
        light="#fff",
        svgclass="qr",
        lineclass=None,
        title="QR code of the key",
    )
    return mark_safe(drawn)  # noqa: S308 - paths made of numbers; the link is not in it as text


def _switched_off(request: HttpRequest, user: User, code: str) -> HttpResponse:
    if passes_second_factor(user, code, now=timezone.now()):
        drop_second_factor(user)
        messages.success(request, "Your second factor is off.")
    else:
        messages.error(request, "This code is not good; your second factor stays on.")
    return HttpResponseRedirect(reverse("admin:second_factor"))
