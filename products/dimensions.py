"""What the catalogue adds to the analytics: requests counted by product."""

from analytics.recording.event import RequestEvent
from analytics.rollup.dimensions import Dimension

DETAIL = "products:detail"


def product(event: RequestEvent) -> str | None:
    """The slug of the product whose page was shown; None for all else."""
    shown = event.status < 300 or event.status == 304
    return event.kwargs.get("slug") if event.view == DETAIL and shown else None


DIMENSIONS = (
    Dimension(
        name="product",
        label="Product",
        key=product,
        kwargs={DETAIL: ("slug",)},
        visitors=True,
        cap=5_000,
    ),
)
