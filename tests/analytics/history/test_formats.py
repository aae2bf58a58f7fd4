"""What is recognised as a line, and what is not."""

import time

import pytest

from analytics.history.formats import FORMATS, NAMES, format_named, others, recognise
from tests.analytics.history.logs import FIREFOX, line

COMMON = line().partition(' "-" "')[0]
EXAMPLES = {
    "combined": line(),
    "common": COMMON,
    "combined_seconds": line(tail=" 0.042"),
    "combined_microseconds": line(tail=" 42000"),
    "vhost_combined": f"www.example.org:443 {line()}",
    "combined_more": line(tail=' "203.0.113.9"'),
}


def test_every_format_has_an_example():
    assert set(EXAMPLES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["", "\r", "  "])
def test_a_format_is_recognised_by_its_lines(name, end):
    assert recognise([EXAMPLES[name] + end] * 3) == format_named(name)


@pytest.mark.parametrize("name", NAMES)
def test_all_formats_give_the_same_groups(name):
    found = format_named(name).pattern.fullmatch(EXAMPLES[name])
    server, address, minute, second, zone, request, status, size, *rest = found.groups()
    assert server == ("www.example.org:443" if name.startswith("vhost") else "")
    assert (address, minute, second, zone) == (
        *("192.0.2.7", "02/Mar/2026:10:00", "00", "+0000"),
    )
    assert (request, status, size) == ("GET /products/ HTTP/1.1", "200", "512")
    taken = {"combined_seconds": "0.042", "combined_microseconds": "42000"}
    agent = ("", "") if name == "common" else ("-", FIREFOX)
    assert rest == [*agent, taken.get(name, "")]


def test_most_lines_decide():
    lines = [EXAMPLES["common"], EXAMPLES["combined"], EXAMPLES["combined"], "rubbish"]
    assert recognise(lines) == format_named("combined")
    assert recognise(["rubbish", ""]) is None
    assert recognise([]) is None


def test_a_line_of_another_format_is_no_line_with_more_behind_it():
    names = [one.name for one in others(format_named("combined"))]
    assert "combined_more" not in names
    assert len(names) == len(FORMATS) - 2


@pytest.mark.parametrize(
    "text",
    [
        line(address="2001:db8::7"),
        line(address="2001:db8::7", user="jane.doe"),
        line(user="jane doe"),
        line(user='x "y" [z]'),
        line(agent=r"a \"quoted\" agent \\"),
        line(referrer=r"https://example.org/\x22"),
        line(request=""),
        line(request=r"\x16\x03\x01"),
        line(size="-"),
    ],
)
def test_odd_lines_are_lines(text):
    assert recognise([text]) == format_named("combined")


@pytest.mark.parametrize(
    "text", ["", "-", '1 - - [x] "" 200 1', line()[:-1], line()[5:-20], "\0" * 500]
)
def test_rubbish_is_none(text):
    assert recognise([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "x " * 30_000,
        line(agent="\\" * 60_001),
        line()[:-1] + "\\x22" * 15_000,
        "[02/Mar/2026:10:00:00 +0000] " * 2_000,
        '1 - - [02/Mar/2026:10:00:00 +0000] "' * 1_700,
        ":1" * 30_000,
    ],
)
def test_no_line_takes_long(text):
    began = time.process_time()
    for one in FORMATS:
        one.pattern.fullmatch(text)
    assert time.process_time() - began < 0.5
