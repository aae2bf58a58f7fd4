"""The views of this app that are no pages of the admin.

``health`` tells anybody whether all is well and the failing parts' names; the numbers
only to staff. It answers also when the database or Redis does not.
"""

from __future__ import annotations

from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from .health import Health, check_health, ledger_sums, waiting_sites

JSON = "application/json"


# With ATOMIC_REQUESTS a dead database would be an error before we are asked.
@transaction.non_atomic_requests
@cache_control(no_store=True, private=True)
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 or 503: for load balancers and monitors."""
    found = check_health()
    status = 200 if found.ok else 503
    if found.part("database").ok and _is_staff(request):
        return JsonResponse(_for_staff(found), status=status)
    if request.get_preferred_type(["text/plain", JSON]) == JSON:
        return JsonResponse({"ok": found.ok, "failing": found.failing}, status=status)
    text = "ok" if found.ok else f"not ok: {', '.join(found.failing)}"
    return HttpResponse(f"{text}\n", content_type="text/plain", status=status)


def _is_staff(request: HttpRequest) -> bool:
    try:
        user = getattr(request, "user", None)
        return bool(user and user.is_active and user.is_staff)
    except DatabaseError:
        return False


def _for_staff(found: Health) -> dict[str, object]:
    parts = {
        part.name: {"ok": part.ok, "message": part.message} for part in found.parts
    }
    answer = {"ok": found.ok, "parts": parts, **found.numbers}
    answer["sites_waiting"] = waiting_sites() if found.part("redis").ok else []
    try:
        return answer | ledger_sums(found)
    except DatabaseError:
        return answer
