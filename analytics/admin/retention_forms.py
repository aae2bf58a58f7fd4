"""The form that says how long rows of one dimension and grain are kept.

Reads what is in force; writes nothing. What it takes is within the bounds of
``models.RETENTION_BOUNDS``, or what the dimension itself declares.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import RETENTION_BOUNDS
from ..reporting.retention import Kept, days_text
from ..rollup.buckets import Grain
from ..rollup.retention import Days


class RetentionForm(forms.Form):
    """``days`` of its cleaned data are None for ever."""

    days = forms.IntegerField(label=_("Days"), required=False)
    for_ever = forms.BooleanField(label=_("For ever"), required=False)
    confirmed = forms.BooleanField(
        label=_("Yes, whole days may go"),
        required=False,
        help_text=_(
            "Rows of days cannot be made again. Ranges that reach behind them, and "
            "comparisons with a year before, are then incomplete for good."
        ),
    )

    def __init__(self, *args: Any, kept: Kept, others: Days, **kwargs: Any) -> None:
        """``others`` is what is in force of all grains of the dimension."""
        initial = {"days": kept.days, "for_ever": kept.days is None}
        super().__init__(*args, initial=initial, **kwargs)
        self.kept, self.others = kept, others
        least, most = RETENTION_BOUNDS[kept.grain]
        self.fields["days"].help_text = _(
            "From %(least)d to %(most)d. Declared: %(declared)s."
        ) % {"least": least, "most": most, "declared": days_text(kept.declared)}
        if kept.grain != Grain.DAY:
            del self.fields["confirmed"]
            if kept.declared is not None:
                del self.fields["for_ever"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.errors:
            return data
        if data.get("for_ever"):
            data["days"] = None
        elif data.get("days") is None:
            raise ValidationError(gettext("Say how many days."))
        days = data["days"]
        self._verify_bounds(days)
        self._verify_others(days)
        if self._takes_days(days) and not data.get("confirmed"):
            self.add_error("confirmed", gettext("Rows of days would go: confirm that."))
        return data

    def _verify_bounds(self, days: int | None) -> None:
        if days == self.kept.declared:
            return
        least, most = RETENTION_BOUNDS[self.kept.grain]
        # None passes for days alone: other grains have no such field.
        if days is not None and not least <= days <= most:
            raise ValidationError(
                {
                    "days": gettext("From %(least)d to %(most)d days are possible.")
                    % {"least": least, "most": most}
                }
            )

    def _verify_others(self, days: int | None) -> None:
        """A range has its edges from finer rows, so these must not outlast coarser."""
        for grain, other in self.others.items():
            finer = grain < self.kept.grain
            if grain == self.kept.grain:
                continue
            if _outlasts(other, days) if finer else _outlasts(days, other):
                raise ValidationError(
                    gettext(
                        "Rows by the %(grain)s are kept for %(days)s: finer rows must "
                        "not be kept for longer than coarser ones."
                    )
                    % {"grain": grain.label, "days": days_text(other)}
                )

    def _takes_days(self, days: int | None) -> bool:
        return self.kept.grain == Grain.DAY and _outlasts(self.kept.days, days)


def _outlasts(one: int | None, other: int | None) -> bool:
    """Whether rows that are kept so long are kept for longer than others."""
    return other is not None and (one is None or one > other)
