"""The forms behind the three buttons of the order page (seed Fulfillment Recovery)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

CODE_LENGTH: Final = 500
PIN_LENGTH: Final = 100
NOTES_LENGTH: Final = 1000
Choices = Sequence[tuple[Any, Any]]


class ActionForm(forms.Form):
    """Every action may be explained, and is done once per form that was drawn."""

    prefix_of_ids: str = "action"
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=NOTES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Why; kept in the audit trail"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"{self.prefix_of_ids}-%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class ResendForm(ActionForm):
    prefix_of_ids = "resend"
    to = forms.EmailField(label="To another address", required=False, max_length=254)

    def __init__(self, *args: Any, own_address: str, may_override: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_override = may_override
        self.fields["to"].widget.attrs["placeholder"] = own_address
        self.order_fields(["form_key", "to", "notes"])


class ReleaseForm(ActionForm):
    prefix_of_ids = "release"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["notes"].required = True
        self.fields["notes"].label = "Reason"


class RetryForm(ActionForm):
    prefix_of_ids = "retry"
    item = forms.TypedChoiceField(label="Item", coerce=int)
    source = forms.TypedChoiceField(label="Source", coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, items: Choices, sources: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        item, source = self.fields["item"], self.fields["source"]
        if isinstance(item, forms.ChoiceField) and isinstance(source, forms.ChoiceField):
            item.choices = list(items)
            source.choices = [("", "By priority"), *sources]
        self.order_fields(["form_key", "item", "source", "notes"])


class CodesForm(ActionForm):
    """One box per item that owes codes; one code a line, `code | PIN` where there is a PIN."""

    prefix_of_ids = "codes"

    def __init__(
        self, *args: Any, owed: Mapping[int, int], partners: Choices, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.owed = owed
        for item_id, count in owed.items():
            rows = min(max(count, 2), 12)
            attrs = {"rows": rows, "spellcheck": "false", "autocomplete": "off", "class": "codes"}
            self.fields[f"codes_{item_id}"] = forms.CharField(
                label="Codes", required=False, widget=forms.Textarea(attrs=attrs)
            )
            self.fields[f"partner_{item_id}"] = forms.TypedChoiceField(
                label="Bought from",
                required=False,
                coerce=int,
                empty_value=None,
                choices=[("", "Not said"), *partners],
            )

    def clean(self) -> dict[str, Any]:
        given: dict[int, list[tuple[str, str]]] = {}
        for item_id, count in self.owed.items():
            name = f"codes_{item_id}"
            rows = self._rows(name)
            if name in self.errors or not rows:
                continue
            if len(rows) != count:
                self.add_error(name, f"{count} needed, {len(rows)} given. One code a line.")
                continue
            given[item_id] = rows
        if not given and not self.errors:
            self.add_error(None, "Enter the codes of at least one item.")
        self.cleaned_data["given"] = given
        return self.cleaned_data

    def renew(self, form_key: str) -> None:
        """Draw the form again after it has acted: what was typed, under a new key."""
        self.data = {**{name: self.data.get(name, "") for name in self.data}, "form_key": form_key}

    def _rows(self, name: str) -> list[tuple[str, str]]:
        rows = []
        lines = self.cleaned_data.get(name, "").splitlines()
        for number, line in enumerate((each for each in lines if each.strip()), start=1):
            code, _, pin = (part.strip() for part in line.partition("|"))
            if not code:
                self.add_error(name, f"Line {number} has a PIN but no code.")
            elif len(code) > CODE_LENGTH or len(pin) > PIN_LENGTH:
                self.add_error(name, f"Line {number} is too long for a code.")
            rows.append((code, pin))
        return rows
