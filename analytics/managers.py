"""Managers and querysets: the questions and the rules that tables answer for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Sum
from django.utils import timezone

from .conf import get_config

if TYPE_CHECKING:
    from .models import JobRun, Writer

MISSING_HOURS = 24
_shown: ContextVar[str] = ContextVar("analytics_site_shown", default="")


@contextmanager
def traffic_of(site: str) -> Iterator[None]:
    """Inside, rows of traffic are those of ``site``; else they are the own site's."""
    token = _shown.set(site)
    try:
        yield
    finally:
        _shown.reset(token)


class RollupQuerySet(models.QuerySet):
    """Rows of the rollup table, narrowed to what may be added up."""

    def of(self, site: str, dimension: str, grain: int) -> RollupQuerySet:
        return self.filter(site=site, dimension=dimension, grain=grain)


class TrafficManager(models.Manager.from_queryset(RollupQuerySet)):
    """This site's rows of one dimension, grain and set of audiences: what may be
    added up without knowing how the table is made."""

    def __init__(
        self, dimension: str, grain: int, audiences: Sequence[int] = (0,)
    ) -> None:
        super().__init__()
        self.dimension, self.grain, self.audiences = dimension, grain, audiences

    def get_queryset(self) -> RollupQuerySet:
        rows = super().get_queryset()
        site = _shown.get() or get_config().site
        rows = rows.of(site, self.dimension, self.grain)
        return rows.filter(audience__in=self.audiences)


class WriterManager(models.Manager):
    """Makes, locks and claims the writer row of a site."""

    def of(self, site: str, time_zone: str) -> Writer:
        """The site's row as it is now, made with ``time_zone`` if there is none."""
        writer = self.filter(pk=site).first()
        if writer is None:
            writer, _ = self.get_or_create(pk=site, defaults={"time_zone": time_zone})
        return writer

    def claim(self, site: str, generation: int) -> bool:
        """Become the writer, if nobody wrote since ``generation`` was read.

        To be called first in a transaction. The row is locked until its end.
        """
        row = self.filter(pk=site, generation=generation)
        return bool(row.update(generation=F("generation") + 1))

    def lock(self, site: str) -> None:
        """Become the writer, waiting for another one to end its transaction."""
        self.filter(pk=site).update(generation=F("generation") + 1)


class ProducerQuerySet(models.QuerySet):
    """Lines of the ledger."""

    def sums(self) -> dict[str, int]:
        """``recorded counted waiting lost rejected`` over all lines."""
        names = ("recorded", "counted", "lost", "rejected")
        found = self.aggregate(**{name: Sum(name, default=0) for name in names})
        sums = {name: int(value) for name, value in found.items()}
        recorded, *done = sums.values()
        return sums | {"waiting": recorded - sum(done)}

    def waiting(self) -> ProducerQuerySet:
        return self.filter(recorded__gt=F("expected"))


class JobRunManager(models.Manager):
    """Writes down what a task did."""

    def latest_of(self, task: str) -> JobRun | None:
        return self.filter(task=task).order_by("-started").first()

    def log(self, task: str, work: Callable[[], str], quiet: bool = False) -> str:
        """Run ``work`` and keep its sentence; a failure is kept and raised again.

        A ``quiet`` task that has nothing to say leaves no row.
        """
        run = self.model(task=task, started=timezone.now())
        if not quiet:
            run.save()
        try:
            run.message = work()[:500]
            run.outcome = self.model.Outcome.DONE
        except Exception as error:
            run.message = f"{type(error).__name__}: {error}"[:500]
            run.outcome = self.model.Outcome.FAILED
            raise
        finally:
            run.ended = timezone.now()
            if run.message or not quiet:
                run.save()
        return run.message
