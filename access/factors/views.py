"""The pages of one's own second factor: give a code, new recovery codes, take it away.

Thin: they ask `keeping` and `signin`. For members of staff; who still has to set one up
sees those for that, and who owes a code sees the page for that. Writes the audit list.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import RedirectURLMixin, redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import FormView, TemplateView

from .. import audit, sessions
from ..models import SignIn
from ..views import InAdmin
from . import gate, keeping, signin
from .demand import Demand
from .forms import CodeForm, ProofForm

Kind = SignIn.Kind
FEW = 3
"""Recovery codes: with no more than so many left, new ones are advised."""


@method_decorator(sensitive_post_parameters("code", "password"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class OwnPage(InAdmin):
    """For who is in, and for who can only be in after it."""

    lets_in: tuple[Demand, ...] = (Demand.NONE, Demand.SETUP)
    title: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        waiting = gate.waiting(request)
        self.person = waiting.user if waiting else request.user
        self.asked = waiting.demand if waiting else Demand.NONE
        if not (self.person.is_active and self.person.is_staff):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if self.asked not in self.lets_in:
            return redirect(gate.PAGES.get(self.asked, "admin:index"))
        if not self.is_ready():
            return redirect("factor")
        return super().dispatch(request, *args, **kwargs)

    def is_ready(self) -> bool:
        """Whether there is what the page is about."""
        return True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        mine = {"asked": self.asked.value, "person": self.person, "title": self.title}
        return super().get_context_data(**more) | mine

    @property
    def is_fresh(self) -> bool:
        return sessions.is_fresh(self.request.session, sessions.now())

    @sensitive_variables("codes")
    def show(self, codes: list[str]) -> HttpResponse:
        """Neither a message nor a redirect: those would have to be kept somewhere."""
        frame = InAdmin.get_context_data(self)
        typed = [f"{code[:5]}-{code[5:]}" for code in codes]
        frame |= {"title": _("Your recovery codes"), "codes": typed}
        return TemplateResponse(self.request, "access/factors/codes.html", frame)


class Status(OwnPage, TemplateView):
    """What there is, and what can be done with it."""

    template_name = "access/factors/status.html"
    title = _("Second factor")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        found = {"factor": keeping.of(self.person), "left": keeping.left(self.person)}
        found |= {"is_few": found["left"] <= FEW, "is_fresh": self.is_fresh}
        return super().get_context_data(**more) | found


class GiveCode(OwnPage, RedirectURLMixin, FormView):
    """Between the password and the admin."""

    template_name = "access/factors/code.html"
    form_class = CodeForm
    lets_in = (Demand.CODE,)
    title = _("Second factor")
    next_page = reverse_lazy("admin:index")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        target = {"next": self.get_redirect_url()}
        return super().get_context_data(**more) | target

    def form_valid(self, form: CodeForm) -> HttpResponse:
        code = form.cleaned_data["code"]
        found = signin.try_code(self.request, self.person, code)
        if not found.is_right:
            form.add_error("code", signin.words_for(found))
            return self.form_invalid(form)
        signin.verify_session(self.request, self.person, is_new=True)
        return super().form_valid(form)


class Proven(OwnPage, FormView):
    """Something that only its owner may do with a factor."""

    template_name = "access/factors/proof.html"
    form_class = ProofForm
    lets_in = (Demand.NONE,)
    lead: Any
    button: Any
    is_grave: bool

    def is_ready(self) -> bool:
        return keeping.of(self.person) is not None

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        texts = {"lead": self.lead, "button": self.button, "is_grave": self.is_grave}
        return super().get_context_data(**more) | texts

    def form_valid(self, form: ProofForm) -> HttpResponse:
        if refusal := signin.proves(self.request, self.person, **form.cleaned_data):
            by_code = form.cleaned_data.get("code")
            form.add_error("code" if by_code else "password", refusal)
            return self.form_invalid(form)
        return self.do()

    def do(self) -> HttpResponse:
        raise NotImplementedError


class Renew(Proven):
    title = _("New recovery codes")
    lead = _("You get ten new codes. Those that you have now stop working.")
    button = _("Make new codes")
    is_grave = False

    def do(self) -> HttpResponse:
        codes = keeping.renew(self.person)
        more = {"detail": "new recovery codes"}
        audit.record(Kind.FACTOR_ADDED, self.request, self.person, **more)
        return self.show(codes)


class Remove(Proven):
    title = _("Remove the second factor")
    lead = _(
        "For a new phone, remove the factor and set it up again. Until then your "
        "password alone signs you in, unless your account must have a second factor."
    )
    button = _("Remove")
    is_grave = True

    def do(self) -> HttpResponse:
        keeping.remove(self.person)
        audit.record(Kind.FACTOR_REMOVED, self.request, self.person)
        return redirect("factor")
