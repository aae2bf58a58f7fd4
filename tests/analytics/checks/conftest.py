"""Fixtures: the command line that the checks of Redis look at."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _command_line(monkeypatch):
    """The suite itself may run as ``manage.py test``."""
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
