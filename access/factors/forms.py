"""What is typed: a code, or a proof that it is still the same person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LENGTH_LIMIT = 40


class CodeField(forms.CharField):
    """Phones offer digits for it, and browsers what an app has sent them."""

    def __init__(self, **more: Any) -> None:
        typed = {"autocomplete": "one-time-code", "spellcheck": "false"}
        typed |= {"autocapitalize": "none", "class": "vTextField"}
        widget = forms.TextInput(attrs=typed)
        super().__init__(max_length=LENGTH_LIMIT, widget=widget, **more)


class CodeForm(forms.Form):
    """Of the app, or one of the recovery codes."""

    code = CodeField(label=_("Code"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class FirstCodeForm(CodeForm):
    """Of the app alone: there is nothing else yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class PasswordField(forms.CharField):
    """One's own, as the login page takes it."""

    def __init__(self, **more: Any) -> None:
        typed = {"autocomplete": "current-password", "class": "vTextField"}
        widget = forms.PasswordInput(attrs=typed)
        super().__init__(strip=False, max_length=4096, widget=widget, **more)


class PasswordForm(forms.Form):
    """The password again, from who has no other proof."""

    password = PasswordField(label=_("Your password"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class ProofForm(forms.Form):
    """A code or the password: who finds an open browser has neither."""

    code = CodeField(
        label=_("Code"), required=False, help_text=_("Of the app, or a recovery code.")
    )
    password = PasswordField(label=_("Or your password"), required=False)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if not self.errors and not (found["code"] or found["password"]):
            raise forms.ValidationError(_("Give a code or your password."))
        return found
