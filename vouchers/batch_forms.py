"""The form that begins an import, and the reason asked before codes are taken out of the pool."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from catalog.models import Variant
from vouchers.imports import MAX_BYTES
from vouchers.models import Batch

PASTE_LENGTH: Final = 900_000


class ImportForm(forms.Form):
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    variant = forms.ModelChoiceField(
        queryset=Variant.objects.select_related("product"),
        widget=AutocompleteSelect(Batch._meta.get_field("variant"), admin.site),  # noqa: SLF001
    )
    supplier = forms.CharField(max_length=200)
    unit_cost = forms.DecimalField(
        label="Cost a code, BDT", required=False, min_value=0, max_digits=12, decimal_places=2
    )
    expires_on = forms.DateField(
        label="Expiry of codes that say none",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    code_digits = forms.IntegerField(
        label="Digits of a code",
        required=False,
        min_value=4,
        max_value=40,
        help_text="Only for workbooks that hold codes as numbers: one that is shorter lost its "
        "leading zeros, and is refused.",
    )
    file = forms.FileField(
        label="CSV or XLSX",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    text = forms.CharField(
        label="Or paste",
        required=False,
        max_length=PASTE_LENGTH,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 9, "class": "codes", "spellcheck": "false", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "import-%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "").strip()
        if "file" in self.errors or "text" in self.errors:
            return self.cleaned_data
        if bool(file) == bool(text):
            words = "Choose a file or paste a list" + (", not both." if text else ".")
            self.add_error("file", words)
        elif file and file.size > MAX_BYTES:
            self.add_error("file", f"At most {MAX_BYTES // 1_000_000} MB; split the file.")
        return self.cleaned_data


class VoidForm(forms.Form):
    form_key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=300, widget=forms.TextInput(attrs={"placeholder": "Kept with each code"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "void-%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
