"""Random requests go the whole way, and every number is that of a naive count.

Middleware, journal, batches of random size, Redis, drains that run in between, tables,
query. Beside it: ``reporting/test_queries_brute_force``, which asks for everything.
"""

import datetime
import random
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from analytics.models import Audience, Producer
from analytics.recording import middleware
from analytics.recording.shipper import Shipment
from analytics.reporting import periods, queries
from analytics.rollup.drain import Drain
from tests.analytics.recording.site import browser, recorded_site
from tests.analytics.reporting.known import WHO, Who

# The end of a stream may close the connection, which a test's transaction must survive.
pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = 250
DAYS = 6
EVERYONE = tuple(Audience)
UNHAPPY = "tests.analytics.recording.site.Unhappy"
NEWS = "utm_source=news&utm_medium=mail"
PAGES = {
    # Method and path -> route, status, whether it is a view.
    ("get", "/ok/"): ("/ok/", 200, True),
    ("get", "/absent/"): ("/absent/", 404, False),
    ("get", "/shop/lamp/7/"): ("/shop/<slug:slug>/<int:number>/", 200, True),
    ("get", "/nowhere/"): ("(not found)", 404, False),
    ("get", "/boom/"): ("/boom/", 500, False),
    ("get", "/stream/"): ("/stream/", 200, True),
    ("get", "/json/"): ("/json/", 200, False),
    ("post", "/ok/"): ("/ok/", 200, False),
    ("patch", "/answer/"): ("/^answer/", 200, False),
}
GREET = ("get", "/greet/"), ("/greet/", 200, True)
"""The one page here that wants to know who asks."""


@dataclass(frozen=True)
class Asked:
    """A request that was sent, and what it is to be counted as."""

    time: float
    audience: int
    visitor: tuple[str, str]
    view: bool
    error: bool
    keys: dict[str, str | None]


@pytest.fixture
def recorded(transactional_db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        settings.ANALYTICS_SITE = "test"
        settings.ANALYTICS_RECORD_USERS = True
        yield recorded


class Crowd:
    """Asks the site at random, at random moments of the last days."""

    def __init__(self, seed: int, monkeypatch) -> None:
        self._dice = random.Random(seed)
        self._patch = monkeypatch
        self._signed_in = browser()
        self._user = User.objects.create_user("ada", is_staff=True)
        self._signed_in.force_login(self._user)

    def ask(self) -> Asked:
        who = self._dice.choice(WHO)
        staff = who.audience == Audience.STAFF
        page = GREET if staff else self._dice.choice([*PAGES.items(), GREET])
        return self._ask(who, page, self._signed_in if staff else browser())

    def _ask(self, who: Who, page, client) -> Asked:
        (method, path), (route, status, view) = page
        pick = self._dice.choice
        moment = time.time() - self._dice.uniform(0, DAYS * 86_400)
        referrer, news = (
            pick(("", "a.example.org", "b.example.org")),
            pick((True, False)),
        )
        language = who.fields["language"]
        address = f"198.51.100.{self._dice.randrange(6)}"
        headers = {"user-agent": who.agent, "accept-language": language}
        if referrer:
            headers["referer"] = f"https://{referrer}/from/?q=1"
        self._patch.setattr(middleware, "time_ns", lambda: int(moment * 10**9))
        answer = getattr(client, method)(
            f"{path}?{NEWS}" if news else path, headers=headers, REMOTE_ADDR=address
        )
        assert answer.status_code == status
        answer.close()
        raised = UNHAPPY if status == 500 else None
        keys = who.keys | {
            "total": "",
            "route": route,
            "status": str(status),
            "route_status": f"{route} × {status}",
            "method": method.upper(),
            "exception": raised,
            "error_referrer": (referrer or "(none)") if status >= 400 else None,
            "referrer": referrer or None,
            "campaign": "news / mail / -" if news else None,
            "language": language[:2] or None,
            "user": str(self._user.pk) if client is self._signed_in else None,
            "path": None,
            "country": None,
            "product": None,
        }
        visitor = (address, who.agent)
        return Asked(moment, who.audience, visitor, view, bool(raised), keys)


def some_days(dice: random.Random, now: datetime.datetime):
    first = dice.randrange(DAYS + 1)
    last = dice.randrange(first + 1)
    today = now.astimezone(queries.get_config().zone).date()
    ago = [today - datetime.timedelta(days=days) for days in (first, last)]
    period = periods.between(*ago, now)
    return dice.choice((period, period.previous("before")))


def assert_same(asked: list[Asked], period, audiences) -> None:
    question = {"period": period, "audiences": audiences}
    for name in asked[0].keys:
        kept = period.of_dimension(queries.dimension_of(name))
        start, end = kept.start.timestamp(), kept.end.timestamp()
        some = [
            one
            for one in asked
            if start <= one.time < end
            and one.audience in audiences
            and one.keys[name] is not None
        ]
        sums = Counter(one.keys[name] for one in some)
        found = queries.per_key(
            dimension=name, keys=[*sums, "-"], measure="requests", **question
        )
        assert found == sums, name
        if name == "total":
            totals = queries.totals(**question)
            assert totals.requests == len(some)
            assert totals.views == sum(one.view for one in some)
            assert totals.errors == sum(one.error for one in some)
            assert totals.visitors == len({one.visitor for one in some})


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_are_what_was_sent(recorded, stream, settings, monkeypatch, seed):
    settings.TIME_ZONE = ("Europe/Berlin", "Asia/Kathmandu")[seed - 1]
    dice, crowd, asked = random.Random(seed), Crowd(seed, monkeypatch), []
    drain, shipment = Drain(stream), None
    for _ in range(REQUESTS):
        asked.append(crowd.ask())
        shipment = shipment or Shipment(recorded.recorder._journal, stream, 1_000)
        if dice.random() < 0.1:
            shipment.step()
        if dice.random() < 0.05:
            drain.run()
    while shipment.step():
        pass
    drain.run()
    line = Producer.objects.get()
    assert (line.counted, line.lost, line.rejected) == (REQUESTS, 0, 0)
    now = timezone.now()
    assert_same(asked, periods.last_days(DAYS + 1, now), EVERYONE)
    for _ in range(4):
        audiences = dice.choice((*((one,) for one in EVERYONE), EVERYONE))
        assert_same(asked, some_days(dice, now), audiences)
