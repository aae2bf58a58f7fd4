"""Small demos, plans of days, and what is in the tables then."""

import datetime
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.utils import timezone

from analytics.models import Rollup
from analytics.rollup.dimensions import SEPARATOR
from products.demo.plan import Plan, whole_days
from products.models import Category, Product

SMALL = {"days": 3, "visits": 30}
TODAY = datetime.datetime.now(datetime.UTC).date()
MONDAY = TODAY - datetime.timedelta(days=TODAY.weekday() + 49)
"""Of late, so that rows of hours are still written."""


def rows(**conditions) -> list[tuple]:
    """All rollups but their primary keys, products by their article numbers and
    categories by their slugs."""
    skus = {str(pk): sku for pk, sku in Product.objects.values_list("pk", "sku")}
    slugs = {str(pk): slug for pk, slug in Category.objects.values_list("pk", "slug")}
    names = [field.name for field in Rollup._meta.fields if field.name != "id"]
    found = Rollup.objects.filter(**conditions).values(*names)
    for row in found:
        if row["dimension"] == "product":
            row["key"] = skus[row["key"]]
        elif row["dimension"] == "category":
            row["key"] = slugs[row["key"]]
        elif row["dimension"].startswith("product_"):
            pk, _, other = row["key"].partition(SEPARATOR)
            row["key"] = f"{skus[pk]}{SEPARATOR}{other}"
        row["latency"] = row["latency"].to_bytes()
        row["visitors"] = row["visitors"].to_bytes()
    return sorted(tuple(row.values()) for row in found)


def demo(**options) -> None:
    call_command("demo", **(SMALL | options))


def days_ago(days: int) -> datetime.datetime:
    """Noon of a day in the past."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    return noon - datetime.timedelta(days=days)


def ms(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1000)


def plan_of(days: int, visits: int = 60, seed: int = 1, zone: str = "UTC") -> Plan:
    """A plan that begins on a Monday."""
    last = MONDAY + datetime.timedelta(days=days - 1)
    return Plan(seed, visits, whole_days(last, days, ZoneInfo(zone)))
