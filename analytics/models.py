"""The tables: rollups, the ledger, and what is written down about running.

Rollups, ledger and dead letters are written under the site's writer row, in one
transaction, so that they agree whatever is killed. A request that is recorded writes
none of them; staff write `Retention` alone.
"""

from __future__ import annotations

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import HistogramField, VisitorsField
from .managers import (
    JobRunManager,
    ProducerQuerySet,
    RollupQuerySet,
    TrafficManager,
    WriterManager,
)
from .rollup.buckets import Grain


class Audience(models.IntegerChoices):
    """Who asked. Staff is known by the loaded user, a bot by its user agent."""

    PEOPLE = 0, _("people")
    BOTS = 1, _("bots")
    STAFF = 2, _("staff")


class Rollup(models.Model):
    """The measures of one key of one dimension, for one audience, in one bucket."""

    GRAINS = (
        (int(Grain.MINUTE), _("minute")),
        (int(Grain.HOUR), _("hour")),
        (int(Grain.DAY), _("day")),
    )

    site = models.CharField(_("site"), max_length=50)
    dimension = models.CharField(_("dimension"), max_length=32)
    grain = models.PositiveSmallIntegerField(_("grain"), choices=GRAINS)
    bucket = models.DateTimeField(_("bucket"), help_text=_("Start of the grain, UTC."))
    key = models.CharField(_("key"), max_length=200, blank=True)
    audience = models.PositiveSmallIntegerField(_("audience"), choices=Audience.choices)
    requests = models.PositiveBigIntegerField(_("requests"), default=0)
    views = models.PositiveBigIntegerField(
        _("views"), default=0, help_text=_("Pages a person would call a page.")
    )
    errors = models.PositiveBigIntegerField(
        _("errors"), default=0, help_text=_("Answered 5xx, or raised.")
    )
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    duration = models.PositiveBigIntegerField(
        _("duration"), default=0, help_text=_("Sum, in microseconds.")
    )
    latency = HistogramField(_("latency"))
    visitors = VisitorsField(_("visitors"))

    objects = RollupQuerySet.as_manager()

    class Meta:
        verbose_name = _("rollup")
        verbose_name_plural = _("rollups")
        constraints = (
            # Also the index of every query: a series of one key, or all keys of a
            # dimension over a range of buckets.
            models.UniqueConstraint(
                fields=("site", "dimension", "grain", "bucket", "key", "audience"),
                name="analytics_rollup_unique",
            ),
        )
        permissions = (("export_rollup", _("Can export rollups")),)

    def __str__(self) -> str:
        key = self.key or self.dimension
        return f"{key} {self.get_audience_display()} {self.bucket:%Y-%m-%d %H:%M}"


class DailyTraffic(Rollup):
    """What people asked for, by day: rows that charts may add up."""

    objects = TrafficManager("total", Grain.DAY)

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = _("daily traffic")
        verbose_name_plural = _("daily traffic")


class HourlyTraffic(Rollup):
    """What people asked for, by hour."""

    objects = TrafficManager("total", Grain.HOUR)

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = _("hourly traffic")
        verbose_name_plural = _("hourly traffic")


class DailyRouteTraffic(Rollup):
    """What people asked for, by day and route."""

    objects = TrafficManager("route", Grain.DAY)

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = _("daily traffic by route")
        verbose_name_plural = _("daily traffic by route")


class DailyBotTraffic(Rollup):
    """What programs asked for, by day."""

    objects = TrafficManager("total", Grain.DAY, (Audience.BOTS,))

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = _("daily traffic of bots")
        verbose_name_plural = _("daily traffic of bots")


class Site(models.Model):
    """A site that is counted here: the one of the settings, and those that staff
    registered."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    label = models.CharField(
        _("label"), max_length=100, blank=True, help_text=_("What people call it.")
    )
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("What one that is not active records waits, and is kept."),
    )
    first_seen = models.DateTimeField(_("first seen"), null=True)
    added_by = models.CharField(_("added by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.label or self.name


class Writer(models.Model):
    """One row a site: whoever writes its rollups updates it first.

    The update locks the row (the database, on SQLite) until the commit, and the
    generation tells a writer whether what it read before is still so.
    """

    site = models.CharField(_("site"), max_length=50, primary_key=True)
    generation = models.PositiveBigIntegerField(_("generation"), default=0)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        help_text=_("The zone in which hours and days of this site begin."),
    )

    objects = WriterManager()

    class Meta:
        verbose_name = _("writer")
        verbose_name_plural = _("writers")

    def __str__(self) -> str:
        return self.site


class Producer(models.Model):
    """A line of the ledger: what one web process recorded, and what became of it.

    ``expected = counted + lost + rejected`` and ``waiting = recorded - expected``.
    """

    FOLDED = "(folded)"

    site = models.CharField(_("site"), max_length=50)
    producer = models.CharField(_("producer"), max_length=32)
    host = models.CharField(_("host"), max_length=100, blank=True)
    pid = models.PositiveIntegerField(_("process id"), default=0)
    started = models.DateTimeField(_("started"), null=True)
    seen = models.DateTimeField(_("last heard of"), null=True)
    alive = models.DateTimeField(
        _("last alive"),
        null=True,
        help_text=_("Others may speak for a process that has ended."),
    )
    oldest = models.DateTimeField(
        _("oldest waiting"),
        null=True,
        help_text=_("Arrival of its oldest event that was not counted yet."),
    )
    closed = models.BooleanField(_("closed"), default=False)
    recorded = models.PositiveBigIntegerField(_("recorded"), default=0)
    expected = models.PositiveBigIntegerField(
        _("expected"), default=0, help_text=_("The next offset to be counted.")
    )
    counted = models.PositiveBigIntegerField(_("counted"), default=0)
    lost = models.PositiveBigIntegerField(_("lost"), default=0)
    rejected = models.PositiveBigIntegerField(
        _("rejected"), default=0, help_text=_("Events that were not valid.")
    )

    objects = ProducerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger line")
        verbose_name_plural = _("ledger lines")
        constraints = (
            models.UniqueConstraint(
                fields=("site", "producer"), name="analytics_producer_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    expected=models.F("counted")
                    + models.F("lost")
                    + models.F("rejected")
                ),
                name="analytics_producer_adds_up",
            ),
        )

    def __str__(self) -> str:
        return f"{self.producer} on {self.host}:{self.pid}"

    @property
    def waiting(self) -> int:
        """Recorded, and neither counted nor lost yet."""
        return max(self.recorded - self.expected, 0)

    def cover(self, start: datetime.datetime, end: datetime.datetime) -> None:
        """Note that it recorded, or would have, from ``start`` to ``end``."""
        self.started = min(start, self.started or start)
        self.alive = max(end, self.alive or end)


class Coverage(models.Model):
    """A time in which requests could be recorded; what lies between two is an outage.

    Of the ledger's lines that were folded: those that are there tell it themselves.
    """

    site = models.CharField(_("site"), max_length=50)
    start = models.DateTimeField(_("start"))
    end = models.DateTimeField(_("end"))

    class Meta:
        verbose_name = _("coverage")
        verbose_name_plural = _("coverage")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("site", "start"), name="analytics_coverage_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")),
                name="analytics_coverage_is_forward",
            ),
        )

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} – {self.end:%Y-%m-%d %H:%M}"


class DeadLetter(models.Model):
    """Something in the stream that could not be counted, and why."""

    class Kind(models.TextChoices):
        HEADER = "header", _("entry not believed")
        BODY = "body", _("batch not readable")
        EVENT = "event", _("event not valid")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    site = models.CharField(_("site"), max_length=50)
    created = models.DateTimeField(_("created"), db_index=True)
    entry = models.CharField(_("entry"), max_length=50)
    producer = models.CharField(_("producer"), max_length=32, blank=True)
    offset = models.PositiveBigIntegerField(_("offset"), null=True)
    reason = models.CharField(_("reason"), max_length=300)
    content = models.BinaryField(
        _("content"), help_text=_("The entry's beginning, as it came.")
    )

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        indexes = (
            # How often a batch came unreadable.
            models.Index(
                fields=("site", "producer", "offset"), name="analytics_letter_batch"
            ),
        )

    def __str__(self) -> str:
        return f"{self.entry}: {self.reason}"


class JobRun(models.Model):
    """One run of a scheduled task, in a sentence."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    task = models.CharField(_("task"), max_length=200)
    started = models.DateTimeField(_("started"), db_index=True)
    ended = models.DateTimeField(_("ended"), null=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.RUNNING
    )
    message = models.CharField(_("message"), max_length=500, blank=True)

    objects = JobRunManager()

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        indexes = (
            # The last run of every task, for the schedule.
            models.Index(fields=("task", "-started"), name="analytics_jobrun_last"),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.started:%Y-%m-%d %H:%M:%S}"


RETENTION_BOUNDS = {
    Grain.MINUTE: (1, 14),
    Grain.HOUR: (7, 730),
    Grain.DAY: (400, 36_500),
}
"""Days that rows of a grain may be kept, at least and at most. Those of days for a year
and a month, so that a month can be compared with that of a year before; they alone may
be kept for ever, too."""


def _safe_days() -> models.Q:
    safe = models.Q(grain=Grain.DAY.value, days=None)
    for grain, bounds in RETENTION_BOUNDS.items():
        safe |= models.Q(grain=grain.value, days__isnull=False, days__range=bounds)
    return safe


class Retention(models.Model):
    """How long rows of one dimension and grain are kept, where that was changed; and
    since when there are all of them, where that is less.

    Without a row, what the dimension declares is in force: see
    ``rollup.retention.DaysInForce``.
    """

    dimension = models.CharField(_("dimension"), max_length=32)
    grain = models.PositiveSmallIntegerField(_("grain"), choices=Rollup.GRAINS)
    days = models.PositiveIntegerField(
        _("days"), null=True, blank=True, help_text=_("Empty: for ever.")
    )
    since = models.DateTimeField(
        _("since"),
        null=True,
        blank=True,
        help_text=_(
            "Rows of earlier buckets may be gone, though they would be kept now."
        ),
    )

    class Meta:
        verbose_name = _("retention")
        verbose_name_plural = _("retention")
        default_permissions = ("view", "change")
        constraints = (
            models.UniqueConstraint(
                fields=("dimension", "grain"), name="analytics_retention_unique"
            ),
            models.CheckConstraint(
                condition=_safe_days(),
                name="analytics_retention_is_safe",
            ),
        )

    def __str__(self) -> str:
        days = "for ever" if self.days is None else f"{self.days} days"
        return f"{self.dimension}, {self.get_grain_display()}: {days}"


class ImportedFile(models.Model):
    """An access log that was read into the tables, and how far.

    ``lines = counted + rejected + too_new + ignored``. Written with the counts, in
    their transaction: so a run that was killed goes on where the last commit was.
    """

    site = models.CharField(_("site"), max_length=50)
    digest = models.CharField(
        _("digest"), max_length=64, help_text=_("Hash of the first bytes, unpacked.")
    )
    head = models.PositiveIntegerField(
        _("bytes hashed"), help_text=_("Fewer than usual while the file was short.")
    )
    name = models.CharField(_("name"), max_length=200)
    producer = models.CharField(
        _("producer"), max_length=32, help_text=_("Its line of the ledger.")
    )
    started = models.DateTimeField(_("first read"))
    seen = models.DateTimeField(_("last read"))
    finished = models.BooleanField(
        _("finished"), default=False, help_text=_("Read to what was its end.")
    )
    read = models.PositiveBigIntegerField(
        _("read"), default=0, help_text=_("Bytes, unpacked: where reading goes on.")
    )
    lines = models.PositiveBigIntegerField(_("lines"), default=0)
    counted = models.PositiveBigIntegerField(_("counted"), default=0)
    rejected = models.PositiveBigIntegerField(_("unreadable"), default=0)
    too_new = models.PositiveBigIntegerField(_("too new"), default=0)
    ignored = models.PositiveBigIntegerField(_("ignored"), default=0)
    until = models.DateTimeField(
        _("until"), null=True, help_text=_("Lines from then on were too new.")
    )
    first_new = models.PositiveBigIntegerField(
        _("first too new"),
        null=True,
        help_text=_("Bytes before the first of them, or less."),
    )
    since = models.DateTimeField(
        _("since"),
        null=True,
        help_text=_(
            "Being read again for lines that are no longer too new: from then."
        ),
    )
    reread = models.PositiveBigIntegerField(
        _("read again"), default=0, help_text=_("Bytes where that ends.")
    )

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")
        constraints = (
            models.UniqueConstraint(
                fields=("site", "digest"), name="analytics_importedfile_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    lines=models.F("counted")
                    + models.F("rejected")
                    + models.F("too_new")
                    + models.F("ignored")
                ),
                name="analytics_importedfile_adds_up",
            ),
        )

    def __str__(self) -> str:
        return self.name
