"""Refusals are a line in the log, our own errors come with their traceback."""

import logging
import sys

import pytest

from dashboard.logs import Brief


def record(**extra) -> logging.LogRecord:
    try:
        raise ValueError
    except ValueError:
        made = logging.LogRecord("x", 30, "f", 1, "text", (), sys.exc_info())
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize(
    ("extra", "traceback"),
    [({"status_code": 403}, False), ({"status_code": 500}, True), ({}, True)],
)
def test_traceback(extra, traceback):
    found = record(**extra)
    assert Brief().filter(found)
    assert bool(found.exc_info) is traceback
