"""Device, browser, operating system and bot of user agents that are well known."""

import pytest

from analytics.rollup.agents import Agent, classify

SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
PEOPLE = {
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {SAFARI} Mobile/15E148 "
    "Safari/604.1": ("phone", "Mobile Safari", "iOS"),
    f"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) {SAFARI} Mobile/15E148 "
    "Safari/604.1": ("tablet", "Mobile Safari", "iOS"),
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605.1.15": (
        "desktop",
        "Safari",
        "Mac OS X",
    ),
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36": (
        "phone",
        "Chrome Mobile",
        "Android",
    ),
    f"Mozilla/5.0 (Linux; Android 10; SM-X200) {CHROME} Safari/537.36": (
        "tablet",
        "Chrome",
        "Android",
    ),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": (
        "desktop",
        "Chrome",
        "Windows",
    ),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/140.0": (
        "desktop",
        "Edge",
        "Windows",
    ),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36": (
        "desktop",
        "Chrome",
        "Chrome OS",
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": (
        "desktop",
        "Firefox",
        "Linux",
    ),
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": (
        "desktop",
        "Firefox",
        "Ubuntu",
    ),
    "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0": (
        "phone",
        "Firefox Mobile",
        "Android",
    ),
    f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) {CHROME} TV Safari/537.36": (
        "television",
        "Chrome",
        "Tizen",
    ),
}
BOTS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": (
        "Googlebot"
    ),
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": (
        "bingbot"
    ),
    "curl/8.5.0": "curl",
    "python-requests/2.32.3": "Python Requests",
    "": "(unknown)",
}


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_persons_agent(agent):
    assert classify(agent) == Agent(*PEOPLE[agent], bot="")


@pytest.mark.parametrize("agent", BOTS)
def test_a_bot_has_a_name_and_nothing_else(agent):
    assert classify(agent) == Agent(bot=BOTS[agent])


def test_what_nobody_knows():
    assert classify("Gadget 7") == Agent("(unknown)", "(unknown)", "(unknown)")


@pytest.mark.parametrize("agent", ["\x00" * 300, "(" * 300, "é" * 300, "Mobile"])
def test_rubbish_is_classified_too(agent):
    assert isinstance(classify(agent), Agent)
