"""A real site for one test: web servers, Valkey, workers and beat, in own folders.

Starts and kills processes; reads the tables that they write. The assertions say what
the product promises: so many requests, counted once each, in every grain.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from analytics.rollup.buckets import Grain
from analytics.stream import connect
from tests.acceptance.client import Ask, Clients, Outcome, answer_to, mixed
from tests.acceptance.databases import ROOT, Postgres, Sqlite
from tests.acceptance.processes import LOG_TAIL, Process, Valkey
from tests.acceptance.waiting import wait_until

NAME = "shop"
ALL_GRAINS = (Grain.MINUTE, Grain.HOUR, Grain.DAY)
GRAINS = {
    "total": ALL_GRAINS,
    "route": ALL_GRAINS,
    "status": (Grain.HOUR, Grain.DAY),
    "method": (Grain.HOUR, Grain.DAY),
    "exception": (Grain.HOUR, Grain.DAY),
}
FOREIGN = (
    *("ANALYTICS_", "DASHBOARD_", "REDIS_", "DATABASE_", "USERS_"),
    *("DJANGO_", "CELERY_", "SESSION_"),
)


@dataclass(frozen=True)
class Ledger:
    """The sums of the ledger."""

    recorded: int
    counted: int
    lost: int
    rejected: int

    @property
    def waiting(self) -> int:
        return self.recorded - self.counted - self.lost - self.rejected


class Web:
    """One web server with its workers."""

    def __init__(self, process: Process, address: Path, workers: int) -> None:
        self.process = process
        self.address = address
        wait_until(self._is_up, "the web server answers", state=process.said)
        if workers:
            up = lambda: len(process.children()) >= workers  # noqa: E731
            wait_until(up, f"{workers} workers", state=process.said)

    def _is_up(self) -> bool:
        assert self.process.is_running(), self.process.said()
        try:
            return answer_to(self.address, Ask("/healthz", "", 200)) == 200
        except OSError:
            return False

    def requests(
        self, number: int, clients: int = 8, mix: Iterable[Ask] | None = None
    ) -> Outcome:
        """So many requests, all of them answered."""
        asks = mixed(number, mix) if mix else mixed(number)
        outcome = Clients(self.address, asks, clients).join()
        assert not outcome.failed
        return outcome

    def load(self, clients: int = 4, asks: Iterable[Ask] | None = None) -> Clients:
        """Requests without end, until it is stopped."""
        return Clients(self.address, asks or mixed(), clients)


class Site:
    """Everything that runs for one site, and what its tables say."""

    def __init__(self, folder: Path, database: Sqlite | Postgres) -> None:
        self.folder = folder
        self.database = database
        self.journals = folder / "journal"
        self.valkey = Valkey(folder)
        self.processes: list[Process] = []
        self.services: list[Process] = []
        foreign = {name for name in os.environ if name.startswith(FOREIGN)}
        self.env = {k: v for k, v in os.environ.items() if k not in foreign} | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "tests.acceptance.settings",
            "DASHBOARD_LOCAL": "1",
            "DASHBOARD_VAR": str(folder),
            "SECRET_KEY": "the same for all processes",
            "DATABASE_URL": database.url,
            "REDIS_URL": self.valkey.url,
            "ANALYTICS_SITE": NAME,
            "ANALYTICS_JOURNAL_DIR": str(self.journals),
        }

    # What runs.

    def start(self, name: str, words: list[str], **env: str) -> Process:
        """A Python module as a process: its words, and variables of its own."""
        log = self.folder / f"{name}-{len(self.processes)}.log"
        process = Process([sys.executable, "-m", *words], log, self.env | env)
        self.processes.append(process)
        return process

    def start_web(self, *options: str, workers: int = 2, **env: str) -> Web:
        address = self.folder / f"web-{len(self.processes)}.sock"
        words = ["gunicorn", "tests.acceptance.wsgi", "--bind", f"unix:{address}"]
        words += ["--workers", str(workers), "--no-control-socket", *options]
        return Web(self.start("web", words, **env), address, workers)

    def start_uvicorn(self) -> Web:
        address = self.folder / f"web-{len(self.processes)}.sock"
        words = ["uvicorn", "tests.acceptance.asgi:application", "--uds", str(address)]
        return Web(self.start("web", words), address, workers=0)

    def start_worker(
        self, concurrency: int = 1, pool: str = "threads", **env: str
    ) -> Process:
        words = ["celery", "-A", "celery_app", "worker", "-Q", "drain", "-l", "INFO"]
        words += ["-P", pool, "-c", str(concurrency), "-n", "drain@%h"]
        words += ["--without-gossip", "--without-mingle"]
        return self.start("worker", words, **env)

    def start_beat(self) -> Process:
        return self.start("beat", ["celery", "-A", "celery_app", "beat", "-l", "INFO"])

    def start_counting(self) -> None:
        """A worker and beat, as the Procfile has them; neither may ever end."""
        self.services += [self.start_worker(), self.start_beat()]

    def command(self, *words: str, **env: str) -> int:
        """Run a management command to its end; its exit status."""
        return self.start(words[0], ["django", *words], **env).wait()

    def drain(self) -> None:
        assert self.command("analytics_drain", "--once") == 0, self.logs()

    def ship(self) -> None:
        assert self.command("analytics_ship") == 0, self.logs()

    def stop(self) -> None:
        for process in self.processes:
            process.kill9()
        self.valkey.kill9()

    # What the tables and the stream say.

    def ledger(self) -> Ledger:
        sums = ", ".join(
            f"COALESCE(SUM({name}), 0)"
            for name in ("recorded", "counted", "lost", "rejected")
        )
        found = self.database.query(f"SELECT {sums} FROM analytics_producer")  # noqa: S608
        return Ledger(*map(int, found[0]))

    def counts(self, dimension: str, grain: Grain) -> dict[str, int]:
        """Requests by key, over all buckets and audiences."""
        rows = self.database.query(
            "SELECT key, SUM(requests) FROM analytics_rollup"  # noqa: S608
            f" WHERE site = '{NAME}' AND dimension = '{dimension}'"
            f" AND grain = {int(grain)} GROUP BY key"
        )
        return {key: int(number) for key, number in rows}

    def total(self) -> int:
        return self.counts("total", Grain.DAY).get("", 0)

    def dead_letters(self) -> list[str]:
        rows = self.database.query("SELECT reason FROM analytics_deadletter")
        return [reason for (reason,) in rows]

    def backlog(self) -> int:
        with connect(self.valkey.url) as client:
            return client.xlen(f"analytics:{NAME}:events")

    def shipped(self) -> int:
        """Events that lie in the stream, doubles included."""
        with connect(self.valkey.url) as client:
            entries = client.xrange(f"analytics:{NAME}:events")
        return sum(int(fields[b"count"]) for _, fields in entries)

    def journal_directories(self) -> list[Path]:
        found = self.journals.iterdir() if self.journals.is_dir() else ()
        return sorted(path for path in found if not path.name.startswith("."))

    def logs(self) -> str:
        parts = (f"── {p.log.name}\n{p.said()[-LOG_TAIL:]}" for p in self.processes)
        return "\n".join(parts)

    # What has to be so.

    def wait_for(
        self, condition: Callable[[], object], what: str, timeout: float = 30
    ) -> None:
        wait_until(condition, what, timeout, state=lambda: self.ledger())

    def wait_shipped(self, number: int) -> None:
        self.wait_for(lambda: self.shipped() >= number, f"{number} events shipped")

    def wait_settled(self, recorded: int, timeout: float = 40) -> None:
        """Until so many requests are recorded, and nothing of them waits."""

        def settled() -> bool:
            ledger = self.ledger()
            return ledger.recorded >= recorded and ledger.waiting == 0

        self.wait_for(settled, f"{recorded} requests recorded, none waiting", timeout)
        ended = [service for service in self.services if not service.is_running()]
        assert not ended, "the Procfile's processes run through all of this"

    def assert_settled(self, recorded: int, lost: int = 0) -> None:
        """recorded = counted + lost, waiting 0, and nothing refused on the way."""
        assert self.ledger() == Ledger(recorded, recorded - lost, lost, 0)
        assert self.dead_letters() == []

    def assert_counted(self, outcome: Outcome) -> None:
        """Each answered request once in each grain, under what it was."""
        total = outcome.answered.total()
        expected = {"total": {"": total} if total else {}}
        for name in ("route", "status", "method", "exception"):
            expected[name] = outcome.by(name)
        for dimension, grains in GRAINS.items():
            for grain in grains:
                found = self.counts(dimension, grain)
                assert found == expected[dimension], f"{dimension} by {grain.label}"

    def assert_exactly(self, outcome: Outcome) -> None:
        """All that was sent is answered, recorded and counted once; none is lost."""
        assert not outcome.failed
        self.assert_settled(recorded=outcome.sent)
        self.assert_counted(outcome)


def kill_workers(web: Web, number: int) -> None:
    """SIGKILL for some of a server's workers."""
    for child in web.process.children()[:number]:
        os.kill(child.pid, signal.SIGKILL)
