"""The list of imported access logs: what was read, how far, and who may see it."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from analytics.models import ImportedFile

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
LIST = "admin:analytics_importedfile_changelist"


def imported(name="access.log", **values) -> ImportedFile:
    row = {"site": "test", "digest": name, "head": 16_384, "name": name}
    row |= {"producer": f"(log) {name}", "started": NOON, "seen": NOON}
    row |= {"lines": 12_430, "counted": 12_000, "rejected": 30, "too_new": 400}
    return ImportedFile.objects.create(**(row | values))


def test_an_empty_list_says_what_would_fill_it(admin_client):
    assert "import_access_log" in admin_client.get(reverse(LIST)).text


def test_it_says_what_became_of_the_lines(admin_client):
    imported(finished=True)
    imported("<b>other.log", lines=9, counted=9, rejected=0, too_new=0)
    page = admin_client.get(reverse(LIST)).text
    for name in ("Lines", "Counted", "Unreadable", "Too new", "Ignored"):
        assert f">{name}<" in page
    for text in ("12\N{NARROW NO-BREAK SPACE}430", "read to its end", "not read to"):
        assert text in page
    assert "<b>other" not in page


def test_nobody_changes_it(admin_client):
    file = imported()
    page = reverse("admin:analytics_importedfile_change", args=[file.pk])
    assert "access.log" in admin_client.get(page).text
    assert admin_client.post(page, {"name": "x"}).status_code == 403
    file.refresh_from_db()
    assert file.name == "access.log"


def test_who_may_see_it(member):
    imported()
    assert member("view_rollup").get(reverse(LIST)).status_code == 403


def test_who_has_the_permission_sees_it(member):
    imported()
    assert member("view_importedfile").get(reverse(LIST)).status_code == 200
