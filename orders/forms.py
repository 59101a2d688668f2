"""The forms behind the three buttons of the order page (seed Fulfillment Recovery)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

from orders.states import OrderStatus

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

    def renew(self, form_key: str, **changed: str) -> None:
        """Draw the form again after it has acted: what was typed, under a new key."""
        typed = {name: self.data.get(name, "") for name in self.data}
        self.data = {**typed, **changed, "form_key": form_key}


class QueueForm(forms.Form):
    """The filters of the queue, as its address carries them; each may be left out."""

    TABS: Final = (
        "needs_attention", "unknown", "waiting_for_stock", "mail_failed", "late_money", "all",
    )  # fmt: skip

    tab = forms.ChoiceField(
        required=False, choices=[(tab, tab) for tab in TABS], widget=forms.HiddenInput
    )
    q = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "Any"), *OrderStatus.choices]
    )
    method = forms.CharField(label="Paid by", required=False, max_length=20)
    partner = forms.SlugField(label="Partner", required=False, max_length=60)
    cause = forms.CharField(label="Cause", required=False, max_length=60)
    alert = forms.SlugField(label="Alert", required=False, max_length=40)
    claim = forms.ChoiceField(required=False, choices=[("mine", "Mine"), ("free", "Nobody's")])
    after = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"auto_id": "queue-%s", "label_suffix": ""}
        super().__init__(*args, **kwargs)
        dates = {"type": "datetime-local"}
        labels = {
            "from": "Placed from",
            "to": "Placed before",
            "paid_from": "Paid from",
            "paid_to": "Paid before",
        }
        for name, label in labels.items():
            self.fields[name] = forms.DateTimeField(
                label=label, required=False, widget=forms.DateTimeInput(attrs=dates)
            )


class ResendForm(ActionForm):
    prefix_of_ids = "resend"
    to = forms.EmailField(label="To another address", required=False, max_length=254)

    def __init__(self, *args: Any, own_address: str, may_override: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_override = may_override
        self.fields["to"].widget.attrs["placeholder"] = own_address
        self.order_fields(["form_key", "to", "notes"])


class ReasonForm(ActionForm):
    """An act that needs nothing but a reason: release, cancel."""

    prefix_of_ids = "reason"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["notes"].required = True
        self.fields["notes"].label = "Reason"


class ClosePurchaseForm(ReasonForm):
    """What the partner's people told of an open purchase (D39)."""

    prefix_of_ids = "close"
    outcome = forms.ChoiceField(
        label="The partner says",
        choices=[("not_bought", "Not bought: it may be bought anew"), ("bought", "Bought")],
    )
    code = forms.CharField(label="Code, if it was bought", required=False, max_length=CODE_LENGTH)
    pin = forms.CharField(label="PIN", required=False, max_length=PIN_LENGTH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("code", "pin"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.order_fields(["form_key", "outcome", "code", "pin", "notes"])


class AlertForm(ActionForm):
    prefix_of_ids = "alert"
    act = forms.ChoiceField(choices=[("seen", "I have seen it"), ("close", "Close it")])


class NoteForm(forms.Form):
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    text = forms.CharField(
        label="Note",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "For the colleagues"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"auto_id": "note-%s", "label_suffix": ""}
        super().__init__(*args, **kwargs)


class RevealForm(forms.Form):
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"auto_id": "reveal-%s", "label_suffix": ""}
        super().__init__(*args, **kwargs)


class ReplaceForm(ReasonForm):
    """A good code in a bad one's place (D49): typed, or from the pool."""

    prefix_of_ids = "replace"
    source = forms.ChoiceField(
        label="New code",
        choices=[("pool", "Take one from the pool"), ("hand", "I have one here")],
        widget=forms.RadioSelect,
        initial="pool",
    )
    code = forms.CharField(label="Code", required=False, max_length=CODE_LENGTH)
    pin = forms.CharField(label="PIN", required=False, max_length=PIN_LENGTH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("code", "pin"):
            self.fields[name].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["notes"].widget.attrs["placeholder"] = "What is wrong with the code"
        self.order_fields(["form_key", "source", "code", "pin", "notes"])

    def clean(self) -> dict[str, Any]:
        by_hand = self.cleaned_data.get("source") == "hand"
        if by_hand and not self.cleaned_data.get("code"):
            self.add_error("code", "Type the new code.")
        if not by_hand:
            self.cleaned_data |= {"code": "", "pin": ""}
        return self.cleaned_data


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
        self.fields["paste"] = forms.CharField(
            label="Paste here",
            required=False,
            widget=forms.Textarea(
                attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "codes"}
            ),
        )
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

    def typed(self, item_id: int) -> list[tuple[str, str]]:
        """The lines of an item's box as they stand, before they are judged."""
        lines = str(self.data.get(f"codes_{item_id}", "")).splitlines()
        parts = (line.partition("|") for line in lines if line.strip())
        return [(code.strip(), pin.strip()) for code, _, pin in parts]

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
