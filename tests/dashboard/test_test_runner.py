"""`manage.py test` is pytest, with a report in JUnit's format."""

import pytest

from dashboard.test_runner import PytestRunner


@pytest.fixture
def handed_on(monkeypatch) -> list[str]:
    received: list[str] = []

    def main(arguments: list[str]) -> int:
        received.extend(arguments)
        return 3

    monkeypatch.setattr(pytest, "main", main)
    return received


def test_labels_and_options_reach_pytest_and_its_code_comes_back(handed_on):
    runner = PytestRunner(verbosity=2, failfast=True, keyword="a", marker="not b")
    assert runner.run_tests(["tests/products"]) == 3
    assert handed_on[0].startswith("--junit-xml=")
    assert handed_on[0].endswith("/unit.xml")
    words = ["--exitfirst", "-v", "-k", "a", "-m", "not b", "tests/products"]
    assert handed_on[1:] == words


def test_report_can_go_elsewhere(handed_on):
    PytestRunner(report="other.xml").run_tests([])
    assert handed_on == ["--junit-xml=other.xml"]


def test_files_side_by_side(handed_on):
    PytestRunner(report="other.xml", parallel="2").run_tests(["tests/products"])
    assert handed_on[1:3] == ["-n", "2"]
    assert handed_on[-1] == "tests/products"
