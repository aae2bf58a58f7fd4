"""The processes of a site end, also when the signal comes at a bad moment."""

import os
import signal
import sys
import time

import pytest

from dashboard.processes import Site

FOREVER = f"{sys.executable} -c 'import time; print(1, flush=True); time.sleep(600)'"


class Reentrant:
    """Output that is interrupted by a signal in the middle of its first line."""

    def __init__(self) -> None:
        self.signalled = self.writing = False

    def write(self, message) -> None:
        if self.writing:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter>")
        self.writing = True
        if "started" in str(message.data) and not self.signalled:
            self.signalled = True
            os.kill(os.getpid(), signal.SIGTERM)
        self.writing = False


pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def site(tmp_path):
    handlers = {number: signal.getsignal(number) for number in (2, 15)}
    made = Site(f"one: exec {FOREVER}\ntwo: exec {FOREVER}", str(tmp_path), {})
    yield made
    for process in made._processes.values():
        process["process"].kill()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_signal_while_a_line_is_written(site):
    site._printer.write = Reentrant().write
    assert site.run(lambda: None) == 0
    assert ends(site)


def test_an_error_leaves_no_process(site, monkeypatch):
    def fail(message) -> None:
        if "started" in str(message.data):
            raise OSError("no space left on device")

    site._printer.write = fail
    with pytest.raises(OSError, match="no space"):
        site.run(lambda: None)
    assert ends(site)


def ends(site: Site) -> bool:
    """Whether all that it has started is gone, soon."""
    deadline = time.monotonic() + 20
    for process in site._processes.values():
        process["process"].join(max(0, deadline - time.monotonic()))
    return not any(p["process"].is_alive() for p in site._processes.values())
