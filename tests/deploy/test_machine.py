"""The bare machine of the acceptance tests, where it may not be booted."""

import pytest

from tests.acceptance.machine import CannotBoot, Machine


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """A machine without content, which nspawn does not start."""
    nspawn = tmp_path / "bin/systemd-nspawn"
    nspawn.parent.mkdir()
    nspawn.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n")
    nspawn.chmod(0o755)
    monkeypatch.setenv("PATH", str(nspawn.parent), prepend=":")
    machine = Machine(tmp_path)
    policy = machine.inside("/usr/sbin/policy-rc.d")
    policy.parent.mkdir(parents=True)
    policy.touch()
    yield machine
    machine.stop()


def test_machine_that_nspawn_refuses_says_why(refused):
    with pytest.raises(CannotBoot, match=r"^Operation not permitted$"):
        refused.boot()


def test_machine_that_stops_when_its_systemd_was_up_is_a_failure(refused):
    refused.answered = True
    with pytest.raises(AssertionError, match="Operation not permitted"):
        refused.boot()
