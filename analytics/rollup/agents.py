"""What a user agent tells: device, browser, operating system, the name of a bot.

Sources: the rules of ua-parser, and for what is a program the list of ``bots``. Read in
the drain, and then forgotten. Writes nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import ua_parser
from ua_parser import Domain

from .bots import is_bot

READ = Domain.USER_AGENT | Domain.OS
"""Both at once, without the model of the device: half the work of ``parse``."""
UNKNOWN = "(unknown)"
PHONE, TABLET, DESKTOP, TELEVISION = "phone", "tablet", "desktop", "television"
TELEVISIONS = ("SmartTV", "SMART-TV", "GoogleTV", "AppleTV", "BRAVIA", "HbbTV")
DESKTOPS = frozenset(("Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora"))


class Agent(NamedTuple):
    """Names of families, without versions: those change every month."""

    device: str = ""
    browser: str = ""
    system: str = ""
    bot: str = ""
    """For programs alone, which have none of the others."""


@lru_cache(maxsize=20_000)
def classify(agent: str) -> Agent:
    """Of a bot its name; of a person's agent the rest."""
    found = ua_parser.parser(agent, READ)
    family = found.user_agent.family if found.user_agent else ""
    if is_bot(agent):
        return Agent(bot=family or _first_word(agent) or UNKNOWN)
    system = found.os.family if found.os else ""
    return Agent(_device(agent, system), family or UNKNOWN, system or UNKNOWN)


def _device(agent: str, system: str) -> str:
    if any(word in agent for word in TELEVISIONS):
        return TELEVISION
    if "iPad" in agent or "Tablet" in agent:
        return TABLET
    if system == "Android":
        return PHONE if "Mobile" in agent else TABLET
    if system == "iOS" or "Mobile" in agent:
        return PHONE
    return DESKTOP if system in DESKTOPS else UNKNOWN


def _first_word(agent: str) -> str:
    """``curl/8.5.0`` -> ``curl``."""
    return agent.split("/")[0].split(" ")[0][:50]
