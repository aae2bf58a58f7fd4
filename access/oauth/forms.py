"""The form of an application: whose it is, where it sends people, what it can get."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from .. import scopes
from .models import FLOWS, TYPES, Application


class ApplicationForm(forms.ModelForm):
    """`maker` is set on the class, by the admin: who sits before it."""

    maker: Any = None

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("Who is asked to grant it access reads this."),
    )
    user = forms.ModelChoiceField(
        get_user_model()._default_manager.filter(is_active=True),
        label=_("User"),
        required=False,
        help_text=_("Whose it is; whom it acts as, if it acts by itself."),
    )
    client_type = forms.ChoiceField(
        label=_("Client type"), choices=TYPES.items(), widget=forms.RadioSelect
    )
    authorization_grant_type = forms.ChoiceField(
        label=_("Flow"), choices=FLOWS.items(), widget=forms.RadioSelect
    )
    redirect_uris = forms.CharField(
        label=_("Redirect URIs"),
        required=False,
        widget=forms.Textarea({"rows": 3, "cols": 60, "class": "vLargeTextField"}),
        help_text=_(
            "Where its users are sent back to, one a line, compared letter by letter. "
            "https://, or http:// to 127.0.0.1 or localhost."
        ),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(name, f"{name} – {text}") for name, text in scopes.SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("It can ask for these, and gets what its user may do of them."),
    )

    class Meta:
        model = Application
        fields = ("name", "user", "client_type", "authorization_grant_type")
        fields += ("redirect_uris",)

    @classmethod
    def made_for(cls, maker: Any, wanted: list[str]) -> type[ApplicationForm]:
        """With these fields only; whatever else is sent is not looked at."""
        return type("ApplicationForm", (cls,), {"maker": maker, "wanted": wanted})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.wanted):
            # Whatever is sent: nobody makes one that acts as somebody else.
            del self.fields[name]
        if self.instance.pk is None:
            self.instance.user = self.maker
            if "user" in self.fields:
                self.fields["user"].initial = self.maker.pk
        self.fields["scopes"].initial = sorted(self.instance.scopes)

    def clean_redirect_uris(self) -> str:
        return "\n".join(self.cleaned_data["redirect_uris"].split())

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        self.instance.allowed_scopes = scopes.join(found.get("scopes", ()))
        return found
