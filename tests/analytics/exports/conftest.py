"""Fixtures: batches of two rows, watched temporary files, keys with labels."""

import tempfile

import pytest

from analytics.reporting import exports, stored
from analytics.rollup.dimensions import Dimension, Label


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(stored, "BATCH_ROWS", 2)


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """The folder of temporary files, which is empty in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def described(monkeypatch):
    """A dimension whose keys have labels; the keys that were asked for."""
    asked = []

    def describe(keys):
        asked.append(sorted(keys))
        return {key: Label(f"={key}", "/") for key in keys if key != "nameless"}

    dimension = Dimension(
        name="thing", label="Thing", key=lambda event: None, describe=describe
    )
    monkeypatch.setattr(exports, "get_dimensions", lambda: (dimension,))
    return asked
