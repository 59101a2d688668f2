"""The forms of the books' pages."""

from datetime import date, timedelta
from typing import Any, Final

from django import forms

from books.days import Period
from books.services import MOST_BYTES, Wish
from books.statements.base import FIELDS
from books.statements.layouts import GENERIC, layout_names
from books.states import Side
from books.sums import STEPS

Choices = list[tuple[str, str]]
#: What a person would map; the rest is for the API.
MAPPED: Final = (
    ("reference", "Our reference"), ("transaction", "Their transaction"), ("amount", "Amount"),
    ("currency", "Currency"), ("at", "Time"), ("status", "Status"), ("kind", "Payment or refund"),
)  # fmt: skip
DAY: Final = {"type": "date"}


class PeriodForm(forms.Form):
    """Days of Dhaka; by GET, so that a view of the books has an address."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    last = forms.DateField(label="To", widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "books-%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and not timedelta() <= last - first <= timedelta(days=1100):
            raise forms.ValidationError(
                "Choose a period that runs forward, of three years at most."
            )
        return self.cleaned_data

    def period(self) -> Period:
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])


class BooksForm(PeriodForm):
    by = forms.ChoiceField(label="By", choices=[(step, step.title()) for step in STEPS])


class UploadForm(PeriodForm):
    """A file beside the books."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)
    provider = forms.ChoiceField(label="Whose file")
    layout = forms.ChoiceField(label="Written as", required=False)
    zone = forms.ChoiceField(
        label="Times in the file",
        required=False,
        choices=[
            ("", "As this provider writes them"),
            ("Asia/Dhaka", "Dhaka (UTC+6)"),
            ("UTC", "UTC"),
        ],
        help_text="For times that name no zone themselves.",
    )
    file = forms.FileField(label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,.txt"}))
    currency = forms.RegexField(
        "^[A-Z]{3}$", label="Its currency", required=False, initial="BDT", max_length=3
    )

    def __init__(self, *args: Any, providers: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider, layout = self.fields["provider"], self.fields["layout"]
        if isinstance(provider, forms.ChoiceField) and isinstance(layout, forms.ChoiceField):
            provider.choices = providers
            layout.choices = [("", "This provider's own columns"), *layout_names()]
        for name, label in MAPPED:
            self.fields[f"column_{name}"] = forms.CharField(
                label=label, required=False, max_length=100
            )
        self.order_fields(["form_key", "provider", "file", "first", "last"])

    def renew(self, form_key: str) -> None:
        """Let the form be sent again: whatever came of it, its key is spent."""
        self.data = {**self.data.dict(), "form_key": form_key}  # type: ignore[attr-defined]

    def mapped(self) -> list[forms.BoundField]:
        return [self[f"column_{name}"] for name, _ in MAPPED]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"At most {MOST_BYTES // 1_000_000} MB at once.")
        return file

    def wish(self) -> Wish:
        data, period = self.cleaned_data, self.period()
        side, _, provider = data["provider"].partition(":")
        columns = {name: data[f"column_{name}"] for name in FIELDS if data.get(f"column_{name}")}
        return Wish(
            side=side,
            provider=provider,
            layout=data["layout"] or provider,
            since=period.since,
            until=period.until,
            content=data["file"].read(),
            file_name=data["file"].name,
            zone=data["zone"],
            columns=columns if data["layout"] == GENERIC else {},
            currency=data["currency"] or "BDT",
        )


def providers(methods: list[str], partners: Choices) -> Choices:
    """Both sides in one list: nobody lays a partner's file beside payments by mistake."""
    return [
        *((f"{Side.PAYMENTS}:{method}", f"{method}: payments") for method in methods),
        *((f"{Side.PURCHASES}:{slug}", f"{name}: purchases") for slug, name in partners),
    ]


class ExplainForm(forms.Form):
    gap = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(label="What it was", max_length=500)


def month_of(today: date) -> dict[str, Any]:
    return {"first": today.replace(day=1), "last": today, "by": "month"}
