"""Every address of the project, from its URL resolver, with objects to be shown there.

Used by the test of permissions and by the crawl of the browser tests.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from admin_tools_stats.models import DashboardStats, DashboardStatsCriteria
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from access.models import ApiToken, Application, Authenticator, Grant, SignIn
from analytics.models import (
    DeadLetter,
    ImportedFile,
    JobRun,
    Producer,
    Retention,
    Rollup,
    Site,
)
from products.models import Category, Product

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
MODEL = re.compile(r"admin/(\w+)/(\w+)/")
APP_LIST = re.compile(r"\(\?P<app_label>(.*?)\)")


class Address(NamedTuple):
    """A page: its URL name, told apart where one name has several, and where it is."""

    name: str
    url: str


def samples() -> dict[str, Model]:
    """One saved object of each model that the admin lists, by ``app.model``."""
    chart = {"model_app_name": "analytics", "model_name": "DailyTraffic"}
    chart |= {"graph_title": "Sample", "date_field_name": "bucket"}
    chart |= {"operation_field_name": "views", "type_operation_field_name": "Sum"}
    chart |= {"default_time_period": 30}
    criteria = {"criteria_name": "sample", "dynamic_criteria_field_name": "key"}
    owner = User.objects.get_or_create(username="sample")[0]
    found = [
        owner,
        ApiToken.objects.get_or_create(user=owner, prefix="sample", scope="")[0],
        Authenticator.objects.get_or_create(user=owner, key="sample")[0],
        *_granted(owner),
        SignIn.objects.get_or_create(kind=SignIn.Kind.LOGIN, when=NOON)[0],
        Group.objects.get_or_create(name="Sample")[0],
        Category.objects.first(),
        Product.objects.get(slug="brass-pen"),
        Rollup.objects.get_or_create(
            site="test", dimension="route", key="/", grain=2, bucket=NOON, audience=0
        )[0],
        Producer.objects.get_or_create(site="test", producer="sample")[0],
        DeadLetter.objects.get_or_create(site="test", kind="body", created=NOON)[0],
        ImportedFile.objects.get_or_create(
            site="test", name="access.log", head=9, started=NOON, seen=NOON
        )[0],
        Retention.objects.get_or_create(dimension="route", grain=1, days=60)[0],
        Site.objects.get_or_create(name="test")[0],
        JobRun.objects.get_or_create(task="analytics.tasks.drain", started=NOON)[0],
        _task(),
        IntervalSchedule.objects.first(),
        CrontabSchedule.objects.get_or_create(hour="4")[0],
        ClockedSchedule.objects.get_or_create(clocked_time=NOON)[0],
        SolarSchedule.objects.get_or_create(event="sunset", latitude=1, longitude=1)[0],
        DashboardStats.objects.get_or_create(graph_key="sample", defaults=chart)[0],
        DashboardStatsCriteria.objects.get_or_create(**criteria)[0],
    ]
    return {each._meta.label_lower: each for each in found}


def _granted(owner: User) -> tuple[Application, Grant]:
    """An application, and the access to an account that it has."""
    application = Application.objects.get_or_create(
        name="Sample",
        client_type="confidential",
        authorization_grant_type="authorization-code",
    )[0]
    grant = Grant.objects.get_or_create(
        user=owner,
        application=application,
        code="sample",
        expires=NOON,
        token_family=UUID(int=1),
        last_used=NOON,
    )
    return application, grant[0]


def _task() -> PeriodicTask:
    """One of the schedule, or its like where a test has emptied the tables."""
    drain = {"name": "Count waiting requests", "task": "analytics.tasks.drain"}
    if not PeriodicTask.objects.exists():
        every = IntervalSchedule.objects.create(every=2, period="seconds")
        PeriodicTask.objects.create(interval=every, **drain)
    return PeriodicTask.objects.first()


def addresses(objects: dict[str, Model]) -> list[Address]:
    """All of them; needs an object of every model that has pages."""
    listed = {model._meta.label_lower for model in admin.site._registry}
    assert listed <= objects.keys(), f"no sample of {listed - objects.keys()}"
    found = [
        address
        for names, route, name in _patterns(get_resolver())
        for address in _filled(names, route, name, objects)
    ]
    return list(dict.fromkeys(found))


def _patterns(
    resolver: URLResolver, names: str = "", route: str = ""
) -> Iterator[tuple[str, str, str]]:
    for pattern in resolver.url_patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield names, here, pattern.name or ""
        else:
            inside = f"{names}{pattern.namespace}:" if pattern.namespace else names
            yield from _patterns(pattern, inside, here)


def _filled(
    names: str, route: str, name: str, objects: dict[str, Model]
) -> Iterator[Address]:
    if match := APP_LIST.search(route):
        for label in match[1].split("|"):
            yield Address(f"{names}{name} {label}", f"/admin/{label}/")
        return
    if "(?P<" in route:
        yield Address(names + "anything else", "/admin/no-such-page/")
        return
    label = ".".join(match.groups()) if (match := MODEL.match(route)) else ""
    name = name or f"{label.replace('.', '_')}_short" * bool(label) or route
    values = _values(objects, objects.get(label))
    if name == "category":
        values["slug"] = objects["products.category"].slug
    if name == "category-detail":
        values["pk"] = str(objects["products.category"].pk)
    yield Address(
        names + name, "/" + PARAMETER.sub(lambda match: values[match[1]], route)
    )


def _values(objects: dict[str, Model], shown: Model | None) -> dict[str, str]:
    """What the parameters of a route stand for, by their names."""
    product = objects["products.product"]
    pk = str((shown or product).pk)
    return {
        "object_id": pk,
        "id": pk,
        "pk": pk,
        "slug": product.slug,
        "uidb64": "MQ",
        "token": "set-password",
        "dimension": "route",
        "grain": "1",
        "rest": "no-such-address",
        "content_type_id": str(ContentType.objects.get_for_model(product).pk),
    }
