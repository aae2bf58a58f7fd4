"""The grains of time: which bucket an instant belongs to.

Reads the rules of a time zone and nothing else: no clock, no settings, no database.
A bucket is named by its start, an aware UTC datetime. Minutes are those of UTC; hours
and days are those of the zone's clocks, so a day may have 23, 24 or 25 hours.

The buckets of a grain follow each other without gap or overlap, and every minute lies
in one hour, every hour in one day. Where clocks would break that:
- an hour ends when the clocks change (Lord Howe changes by 30 minutes: one hour of 30);
- a date begins when the clocks first show it, and an hour that is shown once more after
  midnight belongs to the new date (Newfoundland used to go from 0:01 back to 23:01);
- a date that is never shown (Samoa's 30 December 2011) has no bucket.

Right for zones whose offsets are whole minutes: all of them since 1972.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_ONE_DAY = timedelta(days=1)


class Grain(IntEnum):
    """The length of a bucket."""

    MINUTE = 0
    HOUR = 1
    DAY = 2

    @property
    def label(self) -> str:
        return self.name.lower()


def bucket(instant: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The start of the bucket of `instant`; raises ValueError unless aware UTC."""
    return _instant(bucket_epoch(_seconds(instant), grain, zone))


def bucket_epoch(epoch_seconds: int, grain: Grain, zone: ZoneInfo) -> int:
    """`bucket` for seconds since 1970, the fast path."""
    minute = epoch_seconds - epoch_seconds % 60
    return minute if grain == Grain.MINUTE else _start(minute, grain, zone)


def next_bucket(start: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The start of the bucket after that of `start`."""
    verify_bucket(start, grain, zone)
    epoch = _seconds(start)
    if grain == Grain.MINUTE:
        return _instant(epoch + 60)
    if grain == Grain.HOUR:
        return _instant(_end_of_hour(epoch, zone))
    # Samoa skipped a date: its midnight is the start of the date after it.
    return _instant(_midnight(_local(epoch, zone).date() + _ONE_DAY, zone))


def is_bucket(start: datetime, grain: Grain, zone: ZoneInfo) -> bool:
    """Whether `start` is an aware UTC datetime at which a bucket begins."""
    try:
        verify_bucket(start, grain, zone)
    except ValueError:
        return False
    return True


def verify_bucket(start: datetime, grain: Grain, zone: ZoneInfo) -> None:
    """Raise ValueError unless a bucket begins at `start`."""
    expected = bucket(start, grain, zone)
    if start != expected:
        raise ValueError(
            f"{start.isoformat()} is not the start of a {Grain(grain).label} in "
            f"{zone.key}; {expected.isoformat()} is."
        )


@lru_cache(maxsize=8192)
def _start(minute: int, grain: Grain, zone: ZoneInfo) -> int:
    return (_hour if grain == Grain.HOUR else _day)(minute, zone)


def _hour(epoch: int, zone: ZoneInfo) -> int:
    start = epoch - (epoch + _offset(epoch, zone)) % 3600
    return _change(start, epoch, zone) or start


def _end_of_hour(epoch: int, zone: ZoneInfo) -> int:
    end = epoch + 3600 - (epoch + _offset(epoch, zone)) % 3600
    return _change(epoch, end - 1, zone) or end


def _day(epoch: int, zone: ZoneInfo) -> int:
    shown = _local(epoch, zone).date()
    tomorrow = _midnight(shown + _ONE_DAY, zone)
    return tomorrow if tomorrow <= epoch else _midnight(shown, zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """When the clocks first show `day`, or skip over its midnight."""
    midnight = datetime.combine(day, time(), zone)
    before, after = (
        (midnight.replace(fold=fold).astimezone(UTC) - _EPOCH) // _SECOND
        for fold in (0, 1)
    )
    # A midnight that is skipped lies, by the offset before, after the change, and by
    # the offset after, before it.
    return _change(after, before, zone) or before


def _change(low: int, high: int, zone: ZoneInfo) -> int | None:
    """The second in (low, high] from which another offset holds, if there is one."""
    if low >= high or _offset(low, zone) == (after := _offset(high, zone)):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == after:
            high = middle
        else:
            low = middle
    return high


def _offset(epoch: int, zone: ZoneInfo) -> int:
    return _local(epoch, zone).utcoffset() // _SECOND


def _local(epoch: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch, zone)


def _instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _seconds(instant: datetime) -> int:
    if instant.utcoffset() != timedelta(0):
        raise ValueError(f"{instant.isoformat()} is not an aware UTC datetime.")
    return (instant - _EPOCH) // _SECOND
