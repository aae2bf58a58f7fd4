"""The catalogue's part in the analytics: its dimension, and the demo."""

import pytest
from django.core.management import call_command

from analytics.models import Producer, Rollup
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import declared_kwargs, get_dimensions
from products.dimensions import DETAIL, product
from tests.analytics.recording.events import event


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "brass-pen"),
        ({"status": 304}, "brass-pen"),
        ({"status": 404}, None),
        ({"status": 500}, None),
        ({"view": "products:list"}, None),
        ({"kwargs": {}}, None),
    ],
)
def test_product_is_the_slug_of_a_shown_page(changes, key):
    shown = {"view": DETAIL, "kwargs": {"slug": "brass-pen"}, "status": 200}
    assert product(event(**(shown | changes))) == key


def test_is_discovered_and_its_argument_is_kept():
    assert "product" in [dimension.name for dimension in get_dimensions()]
    assert declared_kwargs()[DETAIL] == ("slug",)


@pytest.mark.django_db
def test_demo_counts_its_visits_once(catalogue, capsys):
    call_command("demo", days=2, visits=40)
    counted = Producer.objects.sums()["counted"]
    totals = Rollup.objects.filter(dimension="total", grain=Grain.DAY)
    assert sum(totals.values_list("requests", flat=True)) == counted > 80
    assert Rollup.objects.filter(dimension="product").exists()
    call_command("demo", days=2, visits=40)
    assert "there already" in capsys.readouterr().out
    assert Producer.objects.sums()["counted"] == counted
