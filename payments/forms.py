"""The forms behind the buttons of a payment's page."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

Choices = Sequence[tuple[str, str]]


class PaymentForm(forms.Form):
    """Every action is done once per form that was drawn."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class RefundForm(PaymentForm):
    units = forms.MultipleChoiceField(
        label="Units", required=False, widget=forms.CheckboxSelectMultiple
    )
    amount = forms.DecimalField(
        label="Amount in BDT",
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text="Empty: what the chosen units are worth, or everything that is left.",
    )
    revoke = forms.BooleanField(label="Revoke delivered codes", required=False)
    reason = forms.CharField(
        label="Reason", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, units: Choices, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="refund-%s", **kwargs)
        field = self.fields["units"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(units)
        if not units:
            del self.fields["units"], self.fields["revoke"]

    def clean(self) -> dict[str, Any]:
        self.cleaned_data.setdefault("revoke", False)
        return self.cleaned_data

    def items(self) -> dict[int, list[int]] | None:
        """Item -> units; None, which is everything, if nothing is ticked."""
        chosen: dict[int, list[int]] = {}
        for each in self.cleaned_data.get("units") or []:
            item, unit = map(int, each.split("-"))
            chosen.setdefault(item, []).append(unit)
        return chosen or None


class SettleForm(PaymentForm):
    outcome = forms.ChoiceField(
        label="Outcome", choices=[("paid", "Paid back"), ("not_paid", "Not paid back")]
    )
    reference = forms.CharField(
        label="Reference of the payment", max_length=120, required=False, strip=True
    )
    notes = forms.CharField(label="Notes", max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="settle-%s", **kwargs)
