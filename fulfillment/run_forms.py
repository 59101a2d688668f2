"""The form that plans a recovery run."""

from typing import Any, Final

from django import forms

from catalog.models import Partner
from fulfillment.queue import NONE, TAB_LABELS, Wish
from fulfillment.runs import MOST_PER_MINUTE, RunWish
from fulfillment.states import RunAction

ANY: Final = ("", "Any")
TICKED_MOST: Final = 2000


class PlanForm(forms.Form):
    """By filter, or for the orders ticked in the queue (`ids`)."""

    action = forms.ChoiceField(choices=RunAction.choices, label="Repair")
    ids = forms.CharField(required=False, widget=forms.HiddenInput, max_length=40_000)
    tab = forms.ChoiceField(
        choices=[(tab, label) for tab, label in TAB_LABELS.items() if tab != "all"],
        initial="needs_attention", required=False, label="Orders in",
    )  # fmt: skip
    partner = forms.ChoiceField(required=False, label="Partner that was asked")
    cause = forms.CharField(
        required=False, max_length=60, label="Partner's word",
        help_text="As the audit trail shows it: NO_STOCK, OUT_OF_STOCK, PARTNER_PAUSED.",
    )  # fmt: skip
    placed_from = forms.DateTimeField(
        required=False, label="Placed from",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )  # fmt: skip
    placed_to = forms.DateTimeField(
        required=False, label="Placed until",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )  # fmt: skip
    search = forms.CharField(required=False, widget=forms.HiddenInput, max_length=200)
    status = forms.CharField(required=False, widget=forms.HiddenInput, max_length=20)
    payment_method = forms.CharField(required=False, widget=forms.HiddenInput, max_length=20)
    per_minute = forms.IntegerField(
        min_value=1, max_value=MOST_PER_MINUTE, initial=60, label="Orders a minute",
        help_text="A partner that has just come back is best asked gently.",
    )  # fmt: skip
    notes = forms.CharField(
        max_length=900, required=False, label="Why",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept with every attempt of the run.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        partners = Partner.objects.filter(is_active=True).order_by("name")
        field = self.fields["partner"]
        nobody = (NONE, "None was asked")
        field.choices = [ANY, nobody, *((each.slug, each.name) for each in partners)]  # type: ignore[attr-defined]

    @property
    def ticked(self) -> list[int]:
        """Orders that were ticked in the queue; empty where a filter picks them."""
        text = self["ids"].value() or ""
        return [int(each) for each in str(text).split(",") if each.isdigit()][:TICKED_MOST]

    def wish(self) -> RunWish:
        data = self.cleaned_data
        orders = None
        if not self.ticked:
            orders = Wish(
                tab=data["tab"] or "needs_attention",
                search=data["search"],
                status=data["status"],
                payment_method=data["payment_method"],
                partner=data["partner"],
                cause=data["cause"],
                placed_from=data["placed_from"],
                placed_to=data["placed_to"],
            )
        return RunWish(
            data["action"],
            orders=orders,
            order_ids=self.ticked,
            per_minute=data["per_minute"],
            notes=data["notes"],
        )
