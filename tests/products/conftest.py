"""Fixtures of the catalogue's tests: drafts of imports in a folder of their own."""

import pytest


@pytest.fixture(autouse=True)
def drafts_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "imports"
