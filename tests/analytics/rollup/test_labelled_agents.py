"""Some 340 real user agents, labelled by hand: programs are found, people are people.

The labels are in ``labelled/``, and come from what is known of the agents in public.
Left out is what both use: okhttp, CFNetwork, and other libraries of people's apps.
"""

from pathlib import Path

import pytest

from analytics.recording.event import AGENT_LIMIT, clean
from analytics.rollup.agents import classify
from analytics.rollup.bots import is_bot

FOLDER = Path(__file__).parent / "labelled"


def labelled(name: str) -> list[str]:
    """The agents of a list, as the middleware cuts them."""
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    agents = [line for line in lines if not line.startswith("#")]
    assert len(set(agents)) == len(agents)
    return [clean(agent[:AGENT_LIMIT], AGENT_LIMIT) for agent in agents]


def test_there_are_enough_of_both():
    assert min(len(labelled("people")), len(labelled("bots"))) >= 100
    assert len(labelled("people")) + len(labelled("bots")) >= 200


def test_no_person_is_called_a_bot():
    assert [agent for agent in labelled("people") if is_bot(agent)] == []


def test_bots_are_found():
    agents = labelled("bots")
    missed = [agent for agent in agents if not is_bot(agent)]
    assert len(missed) <= len(agents) * 0.02, missed


@pytest.mark.parametrize("kind", ["people", "bots"])
def test_they_are_classified_as_what_they_are(kind):
    """Of a bot its name alone, of a person's agent never one."""
    for agent in labelled(kind):
        found = classify(agent)
        assert bool(found.bot) == (kind == "bots"), agent
        assert bool(found.browser) == (kind == "people"), agent
