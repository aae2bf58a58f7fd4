"""The pages that set a second factor up: the password, the secret, its first code.

Only the session that gave the password sees the secret, in the page and the picture.
Thin: they ask `keeping` and `signin`. Write the session and the audit list.
"""

from __future__ import annotations

import io
from base64 import b32encode
from typing import Any

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.generic import FormView, View

from .. import audit
from ..models import SignIn
from . import keeping, signin
from .checking import check_first
from .demand import Demand
from .forms import FirstCodeForm, PasswordForm
from .views import OwnPage, Proven

BEGUN = "access_factor_begun"
"""In a session: the secret that it may look at."""


class Begin(Proven):
    """A new secret, for who has no factor and has just given the password."""

    form_class = PasswordForm
    lets_in = (Demand.NONE, Demand.SETUP)
    title = _("Set up a second factor")
    lead = _(
        "Please give your password again. So nobody else can set this up on a computer "
        "that you left open."
    )
    button = _("Continue")
    is_grave = False

    def is_ready(self) -> bool:
        return not super().is_ready()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("factor") if self.is_fresh else super().get(request)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.is_fresh:
            return self.do()
        if "password" not in request.POST:
            # The button of a page that was opened while the sign-in was fresh.
            return redirect("factor_begin")
        return super().post(request)

    def do(self) -> HttpResponse:
        self.request.session[BEGUN] = keeping.begin(self.person).pk
        return redirect("factor_confirm")


class Begun(OwnPage):
    """For the session alone that proved whose it is, while the secret is new."""

    def is_ready(self) -> bool:
        pk = self.request.session.get(BEGUN)
        self.device = keeping.begun(self.person, pk)
        return self.device is not None


class Confirm(Begun, FormView):
    """The secret, as a picture and as text, until its first code is right."""

    template_name = "access/factors/confirm.html"
    form_class = FirstCodeForm
    title = _("Set up a second factor")

    @sensitive_variables("text")
    def get_context_data(self, **more: Any) -> dict[str, Any]:
        text = b32encode(self.device.bin_key).decode()
        parts = [text[at : at + 4] for at in range(0, len(text), 4)]
        return super().get_context_data(**more) | {"secret": " ".join(parts)}

    def form_valid(self, form: FirstCodeForm) -> HttpResponse:
        found = check_first(self.device, form.cleaned_data["code"])
        if not found.is_right:
            form.add_error("code", signin.words_for(found))
            return self.form_invalid(form)
        codes = keeping.confirm(found.device)
        audit.record(SignIn.Kind.FACTOR_ADDED, self.request, self.person)
        is_new = self.asked is not Demand.NONE
        signin.verify_session(self.request, self.person, is_new)
        return self.show(codes)


class Picture(Begun, View):
    """The secret for the camera of a phone; nobody keeps it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        out = io.BytesIO()
        code = segno.make(self.device.config_url, error="m", micro=False)
        code.save(out, kind="svg", scale=5, border=4, light="#fff")
        return HttpResponse(out.getvalue(), content_type="image/svg+xml")
