"""The answers of the analytics API: shapes and units, the same in every format."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

PLACES = 3


def rounded(value: float) -> float | int:
    number = round(float(value), PLACES)
    return int(number) if number.is_integer() else number


class NumberField(serializers.FloatField):
    """As many digits as mean something, and whole numbers without a point."""

    def to_representation(self, value: Any) -> float | int:
        return rounded(super().to_representation(value))


class DimensionSerializer(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    meaning = serializers.CharField(help_text="What a key of it is.")
    measures = serializers.ListField(child=serializers.CharField())
    cap = serializers.IntegerField(help_text="Keys a day; others are `(other)`.")


class PeriodSerializer(serializers.Serializer):
    """Whole days of the site's time zone."""

    first = serializers.DateField()
    last = serializers.DateField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Exclusive.")
    running = serializers.BooleanField(help_text="Whether it is not over yet.")


class AskedSerializer(serializers.Serializer):
    """What was asked, as it was understood."""

    site = serializers.CharField()
    period = PeriodSerializer()
    audience = serializers.CharField()
    dimension = serializers.CharField()
    key = serializers.CharField(allow_blank=True)
    note = serializers.CharField(
        allow_blank=True, help_text="What rows that are gone cannot tell."
    )


class MeasuresSerializer(serializers.Serializer):
    requests = serializers.IntegerField()
    views = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="Answered 5xx, or raised.")
    bytes = serializers.IntegerField()
    visitors = serializers.IntegerField(
        allow_null=True, help_text="Different ones; null where they are not kept."
    )
    error_rate = NumberField(allow_null=True, help_text="Percent.")
    p50 = NumberField(allow_null=True, help_text="Microseconds.")
    p95 = NumberField(allow_null=True, help_text="Microseconds.")


class TotalsSerializer(AskedSerializer):
    totals = MeasuresSerializer()


class ChangesSerializer(serializers.Serializer):
    """Growth in percent, null from nothing and of what is not kept."""

    requests = NumberField(allow_null=True)
    views = NumberField(allow_null=True)
    errors = NumberField(allow_null=True)
    bytes = NumberField(allow_null=True)
    visitors = NumberField(allow_null=True)
    error_rate = NumberField(allow_null=True)
    p50 = NumberField(allow_null=True)
    p95 = NumberField(allow_null=True)


class ComparisonSerializer(AskedSerializer):
    before = PeriodSerializer()
    now = MeasuresSerializer()
    then = MeasuresSerializer()
    changes = ChangesSerializer()


class PointSerializer(serializers.Serializer):
    start = serializers.DateTimeField()
    value = NumberField(
        allow_null=True,
        help_text="Null in a gap, the future, and of nothing.",
    )
    gap = serializers.BooleanField(help_text="Whether nothing could be recorded.")


class SeriesSerializer(AskedSerializer):
    measure = serializers.CharField()
    grain = serializers.CharField()
    results = PointSerializer(many=True)


class KeySerializer(serializers.Serializer):
    key = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)
    value = serializers.IntegerField(help_text="The sum that ranks it.")
    views = serializers.IntegerField()
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()
    share = NumberField(help_text="Percent of the sum over all keys.")
    before = serializers.IntegerField(
        allow_null=True, help_text="The same sum in the period before."
    )


class TopSerializer(AskedSerializer):
    by = serializers.CharField()
    before = PeriodSerializer()
    total = serializers.IntegerField(help_text="The sum over all keys.")
    count = serializers.IntegerField(help_text="Keys that are found.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    results = KeySerializer(many=True)


class KeysSerializer(AskedSerializer):
    by = serializers.CharField()
    before = PeriodSerializer()
    results = KeySerializer(many=True)


class KeyPointSerializer(serializers.Serializer):
    key = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)
    start = serializers.DateTimeField()
    value = NumberField(allow_null=True)


class KeySeriesSerializer(AskedSerializer):
    measure = serializers.CharField()
    grain = serializers.CharField()
    results = KeyPointSerializer(many=True)


class PercentileSerializer(serializers.Serializer):
    rank = NumberField()
    duration = NumberField(allow_null=True, help_text="Microseconds.")


class PercentilesSerializer(AskedSerializer):
    results = PercentileSerializer(many=True)


class BarSerializer(serializers.Serializer):
    start = serializers.IntegerField(help_text="Microseconds.")
    end = serializers.IntegerField(help_text="Microseconds, exclusive.")
    requests = serializers.IntegerField()


class HistogramSerializer(AskedSerializer):
    results = BarSerializer(many=True)
