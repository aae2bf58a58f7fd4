"""The fields keep what they are given: in the database, fixtures and migrations."""

import io
from types import SimpleNamespace

import pytest
from django.apps import AppConfig, apps
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.forms import modelform_factory

from analytics.fields import HistogramField, VisitorsField
from analytics.rollup.sketches import Histogram, Visitors


class Sample(models.Model):
    """A row of both fields; its table lives as long as a test."""

    latency = HistogramField()
    visitors = VisitorsField()
    optional = HistogramField(null=True, default=None)

    class Meta:
        app_label = "sketch_samples"

    def __str__(self) -> str:
        return f"{self.latency}, {self.visitors}"


@pytest.fixture
def table(db):
    sql, params = connection.schema_editor().table_sql(Sample)
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


@pytest.fixture
def installed(monkeypatch):
    """The sample's app in the registry, where the serialisers look for models."""
    module = SimpleNamespace(__path__=[""], __name__="samples")
    config = AppConfig("samples", module)
    config.label = "sketch_samples"
    config.apps, config.models = apps, apps.all_models["sketch_samples"]
    monkeypatch.setitem(apps.app_configs, config.label, config)


def visitors_of(items) -> Visitors:
    visitors = Visitors()
    visitors.add_many(items)
    return visitors


def a_sample(visitors: int = 3) -> Sample:
    return Sample(
        latency=Histogram.of([12_000] * 9 + [80_000]),
        visitors=visitors_of(range(visitors)),
    )


def assert_same(one: Sample, other: Sample) -> None:
    assert one.latency == other.latency
    assert one.visitors == other.visitors
    assert one.optional == other.optional


@pytest.mark.parametrize("visitors", [0, 3, 200, 2_000])
def test_values_survive_the_database(table, visitors):
    sample = a_sample(visitors)
    sample.save()
    stored = Sample.objects.get()
    assert_same(stored, sample)
    assert str(stored) == str(sample)


def test_rows_are_empty_by_default_and_have_values_of_their_own(table):
    first, second = Sample(), Sample()
    first.latency.merge(Histogram.of([5]))
    assert second.latency == Histogram()
    second.save()
    stored = Sample.objects.get()
    assert (stored.latency, stored.visitors) == (Histogram(), Visitors())
    assert stored.optional is None


def test_values_can_be_updated_and_looked_up(table):
    Sample.objects.bulk_create([a_sample(), Sample()])
    newer = Histogram.of([7])
    row = Sample.objects.get(latency=Histogram())
    Sample.objects.filter(pk=row.pk).update(latency=newer, optional=newer.to_bytes())
    row.refresh_from_db()
    assert row.latency == row.optional == newer
    assert Sample.objects.values_list("latency", flat=True).get(pk=row.pk) == newer


@pytest.mark.parametrize("driver_type", [bytes, bytearray, memoryview])
def test_whatever_bytes_a_driver_gives_are_read(driver_type):
    value = Histogram.of([5, 9])
    field = Sample._meta.get_field("latency")
    assert field.from_db_value(driver_type(value.to_bytes()), None, None) == value
    assert field.from_db_value(None, None, None) is None


@pytest.mark.parametrize("format", ["json", "jsonl", "xml", "python"])
@pytest.mark.parametrize("visitors", [0, 3, 2_000])
def test_values_survive_fixtures(installed, format, visitors):
    sample = a_sample(visitors)
    sample.pk = 1
    written = serializers.serialize(format, [sample])
    stream = written if format == "python" else io.StringIO(written)
    (again,) = serializers.deserialize(format, stream)
    assert_same(again.object, sample)


@pytest.mark.parametrize("name", ["latency", "visitors"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"rubbish", "begin with"),
        ("not base64!", "not base64"),
        ("é", "ASCII"),
        (5, "int, not bytes"),
        ([], "list, not bytes"),
    ],
)
def test_other_values_are_refused_with_a_sentence(name, value, reason):
    field = Sample._meta.get_field(name)
    for function in (field.to_python, field.get_prep_value):
        with pytest.raises(ValidationError, match=f"“{name}” does not hold.*{reason}"):
            function(value)


def test_the_fields_do_not_take_each_others_values():
    with pytest.raises(ValidationError, match="Visitors, not bytes"):
        Sample(latency=Visitors()).full_clean()


def test_damaged_rows_say_which_field(table):
    a_sample().save()
    damaged = models.Value(b"\x01\x02", output_field=models.BinaryField())
    Sample.objects.update(visitors=damaged)
    with pytest.raises(ValidationError, match="“visitors” does not hold"):
        Sample.objects.get()


def test_a_sample_is_clean():
    sample = a_sample()
    sample.full_clean()
    assert_same(sample, a_sample())
    assert Sample.check() == []


@pytest.mark.parametrize("field_class", [HistogramField, VisitorsField])
def test_migrations_name_the_field_and_nothing_else(field_class):
    code, imports = MigrationWriter.serialize(field_class())
    assert code == f"analytics.fields.{field_class.__name__}()"
    assert imports == {"import analytics.fields"}
    changed = field_class(null=True, default=None, editable=True).clone()
    assert changed.deconstruct()[3] == {
        "null": True,
        "default": None,
        "editable": True,
    }
    assert isinstance(field_class().clone().get_default(), field_class.value_class)


def test_forms_leave_the_fields_out():
    assert modelform_factory(Sample, fields="__all__").base_fields == {}
