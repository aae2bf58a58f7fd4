"""Fixtures: a journal, and a site, recorded into a folder of the test's own."""

import pytest

from analytics.recording.journal import Journal
from tests.analytics.recording.site import recorded_site


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def recorded(db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        yield recorded
