"""The Procfile's processes under honcho: started together, ended together.

Reads the Procfile's text; writes the processes' output to standard output. Never leaves
one of them running, also when the signal comes while they start.
"""

import contextlib
import queue
import signal
from collections.abc import Callable

import honcho.manager
from honcho.environ import parse_procfile

# Longer than the web's own graceful time-out and the last flush of the journal.
honcho.manager.KILL_WAIT = 15

START_SECONDS = 5
SIGNALLED = {128 + signal.SIGINT, 128 + signal.SIGTERM}


class Site(honcho.manager.Manager):
    """honcho's manager, which by itself fails on a signal while it starts."""

    def __init__(self, procfile: str, folder: str, environ: dict[str, str]) -> None:
        super().__init__()
        self._stop_early = False
        self._when_started: Callable[[], None] = lambda: None
        for name, command in parse_procfile(procfile).processes.items():
            self.add_process(name, command, env=environ, cwd=folder)

    def run(self, started: Callable[[], None]) -> int:
        """Until a signal (0) or until a process ends by itself (1)."""
        self._when_started = started
        try:
            self.loop()
        except BaseException:
            # Python would wait at its end for what still runs.
            self._kill_started()
            raise
        return 0 if self.returncode in SIGNALLED else 1

    def _kill_started(self) -> None:
        """All of them: those that have just been started have still to say as what."""
        with contextlib.suppress(queue.Empty):
            while not super()._all_started():
                message = self.events.get(timeout=START_SECONDS)
                if message.type == "start":
                    self._processes[message.name]["pid"] = message.data["pid"]
        for process in self._processes.values():
            if process.get("pid") and "returncode" not in process:
                self._procmgr.kill(process["pid"])

    def _system_print(self, data: str) -> None:
        """A signal may come while a line is being written; a second write in the
        middle of that is an error, and must not end the loop."""
        with contextlib.suppress(RuntimeError):
            super()._system_print(data)

    def terminate(self) -> None:
        if super()._all_started():
            super().terminate()
        else:
            self._stop_early = True

    def _start(self) -> None:
        super()._start()
        # Threads only after the forks, which would copy them half.
        self._when_started()

    def _all_started(self) -> bool:
        """Asked in each round of the loop: the first moment to obey an early signal."""
        started = super()._all_started()
        if started and self._stop_early:
            self._stop_early = False
            super().terminate()
        return started
