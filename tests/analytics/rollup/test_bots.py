"""Telling programs from people: the whole list, and what is not on it."""

import re

import crawleruseragents
import pytest

from analytics.rollup import bots
from analytics.rollup.bots import is_bot

LIST = crawleruseragents.CRAWLER_USER_AGENTS_DATA
PATTERNS = (
    *(entry["pattern"] for entry in LIST),
    *(f"^{re.escape(text)}" for text in bots.BEGINNINGS),
    *map(re.escape, bots.WORDS),
    bots.COMPATIBLE,
)
WHOLE = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS))
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.12.423 Version/12.16",
)


def test_every_agent_of_the_list_is_a_program():
    agents = [agent for entry in LIST for agent in entry.get("instances", ())]
    assert len(agents) > 1_000
    assert [agent for agent in agents if not is_bot(agent)] == []


def test_it_agrees_with_the_list_as_one_pattern():
    agents = [agent for entry in LIST[::20] for agent in entry.get("instances", ())]
    for agent in agents:
        for changed in (agent[3:], agent[:40], agent.lower(), agent.replace("ot", "")):
            assert is_bot(changed) == (not changed or bool(WHOLE.search(changed)))


@pytest.mark.parametrize("agent", BROWSERS)
def test_a_browser_is_no_program(agent):
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", ["", "curl/8.5.0", "Wget/1.21", "x Googlebot/2.1"])
def test_programs(agent):
    assert is_bot(agent)
