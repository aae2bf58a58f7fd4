"""The look of the admin: its sheets on every page, its contrasts, its colours."""

import itertools
import math
import re
from pathlib import Path

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db
TOKENS = Path(__file__).parents[2] / "dashboard/static/dashboard/tokens.css"
SHEETS = ("tokens.css", "frame.css", "admin.css", "forms.css")


@pytest.mark.parametrize(
    "name",
    [
        "admin:index",
        "admin:products_product_changelist",
        "admin:products_product_add",
        "admin:password_change",
    ],
)
def test_sheets_are_on_every_page_behind_the_admins_own(admin_client, name):
    assert_sheets(admin_client.get(reverse(name)).content.decode())


def test_sheets_are_on_the_login_page(client):
    assert_sheets(client.get(reverse("admin:login")).content.decode())


def assert_sheets(text: str) -> None:
    sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', text)
    assert sheets[-len(SHEETS) :] == [f"/static/dashboard/{name}" for name in SHEETS]
    assert len(set(sheets)) == len(sheets)


def test_bar_leads_to_the_shop(admin_client):
    text = admin_client.get(reverse("admin:index")).content.decode()
    assert '<a class="bar-link" href="/">View site</a>' in text


def tokens(scheme: str) -> dict[str, str]:
    heads = {
        "light": r'html\[data-theme="light"\] \{',
        "dark": r'\nhtml\[data-theme="dark"\] \{',
        "dark by the system": r"dark\) \{\s*:root \{",
    }
    block = re.search(heads[scheme] + r"(.*?)\}", TOKENS.read_text(), re.DOTALL)[1]
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block))


def linear(colour: str) -> list[float]:
    """Red, green and blue as amounts of light."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_ways_to_dark_are_the_same():
    assert tokens("dark") == tokens("dark by the system")
    assert tokens("dark").keys() <= tokens("light").keys()


GROUNDS = ("--body-bg", "--ground", "--darkened-bg", "--selected-row")
TEXTS = ("--body-fg", "--body-quiet-color", "--link-fg", "--link-selected-fg")
STATES = ("--ok", "--warn", "--bad", "--error-fg")
BUTTONS = ("--button-bg", "--button-hover-bg", "--delete-button-bg")
MESSAGES = ("--message-success-bg", "--message-warning-bg", "--message-error-bg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_readable(scheme):
    colour = tokens(scheme)
    pairs = [
        *itertools.product(TEXTS, GROUNDS),
        *itertools.product(STATES, ("--body-bg", "--ground")),
        *itertools.product(("--button-fg",), BUTTONS),
        *itertools.product(("--body-fg",), MESSAGES),
        ("--error-fg", "--message-error-bg"),
    ]
    poor = {
        pair: round(contrast(colour[pair[0]], colour[pair[1]]), 2)
        for pair in pairs
        if contrast(colour[pair[0]], colour[pair[1]]) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_of_fields_and_lines_of_charts_can_be_seen(scheme):
    colour = tokens(scheme)
    names = ("--border-color", *(f"--chart-{place}" for place in range(1, 7)))
    poor = [name for name in names if contrast(colour[name], colour["--body-bg"]) < 3]
    assert poor == []


# What the three kinds of colour blindness leave of red, green and blue (linear light;
# Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)


def seen(colour: str, kind: str) -> tuple[float, ...]:
    """The colour as it is seen, in OKLab."""
    light = linear(colour)
    red, green, blue = (
        min(1, max(0, sum(a * b for a, b in zip(row, light, strict=True))))
        for row in BLINDNESS[kind]
    )
    long, middle, short = (
        sum(a * b for a, b in zip(row, (red, green, blue), strict=True)) ** (1 / 3)
        for row in CONES
    )
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_of_charts_are_told_apart_by_everybody(scheme, kind):
    colour = tokens(scheme)
    lines = [colour[f"--chart-{place}"] for place in range(1, 7)]
    close = {}
    for one, other in itertools.combinations(lines, 2):
        distance = math.dist(seen(one, kind), seen(other, kind))
        if distance < 0.1:
            close[one, other] = round(distance, 3)
    assert close == {}
