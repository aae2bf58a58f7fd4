"""Fixtures: a site that is recorded into a folder of the test's own."""

import pytest

from tests.analytics.recording.site import recorded_site


@pytest.fixture
def recorded(db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        yield recorded
