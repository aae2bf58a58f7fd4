"""The form that makes a token: for whom, for what, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import scopes
from .models import DEFAULT_DAYS, LONGEST_DAYS, ApiToken


class TokenForm(forms.ModelForm):
    """`maker` is set on the class, by the admin: who sits before it."""

    maker: Any = None

    user = forms.ModelChoiceField(
        get_user_model()._default_manager.filter(is_active=True), label=_("User")
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The token can do what is ticked and its user may do, no more."),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=DEFAULT_DAYS,
    )

    class Meta:
        model = ApiToken
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.maker.is_superuser:
            self.fields["user"].initial = self.maker.pk
        else:
            # Whatever is sent: nobody makes a token of somebody else.
            del self.fields["user"]
        useful = scopes.useful_to(self.maker)
        self.fields["scopes"].choices = [
            (name, f"{name} – {words}")
            for name, words in scopes.SCOPES.items()
            if name in useful
        ]

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        user = found.get("user", self.maker)
        over = set(found.get("scopes", ())) - set(scopes.useful_to(user))
        if over:
            message = _("%(user)s may do nothing with: %(scopes)s")
            params = {"user": user, "scopes": scopes.join(over)}
            raise ValidationError({"scopes": ValidationError(message, params=params)})
        return found

    def save(self, commit: bool = True) -> ApiToken:
        self.instance.user = self.cleaned_data.get("user", self.maker)
        self.instance.scope = scopes.join(self.cleaned_data["scopes"])
        days = timedelta(days=self.cleaned_data["days"])
        self.instance.expires = timezone.now() + days
        return super().save(commit)
