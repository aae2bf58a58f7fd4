"""`manage.py test`: the one pytest suite, with its report in `unit.xml`.

Reads pyproject.toml for pytest's options; writes `unit.xml` (JUnit XML) beside it.
"""

from argparse import ArgumentParser
from collections.abc import Sequence

from django.conf import settings


class PytestRunner:
    """Django's interface to a test runner, handed on to pytest."""

    def __init__(self, verbosity: int = 1, failfast: bool = False, **options) -> None:
        self.verbosity = verbosity
        self.failfast = failfast
        self.keyword = options.get("keyword")
        self.marker = options.get("marker")
        self.parallel = options.get("parallel")
        self.report = options.get("report") or str(settings.BASE_DIR / "unit.xml")

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument("-k", dest="keyword", help="Run only tests so named.")
        parser.add_argument("-m", dest="marker", help="Run only tests so marked.")
        parser.add_argument(
            "--parallel", metavar="N", help="Run in so many processes at once."
        )
        parser.add_argument("--report", help="Where the JUnit XML goes: unit.xml.")

    def run_tests(self, test_labels: Sequence[str], **kwargs) -> int:
        """Labels are pytest's: paths, or `path::name`. Returns pytest's exit code."""
        import pytest

        arguments = [f"--junit-xml={self.report}"]
        if self.failfast:
            arguments.append("--exitfirst")
        if self.verbosity > 1:
            arguments.append("-v")
        if self.keyword:
            arguments += ["-k", self.keyword]
        if self.marker:
            arguments += ["-m", self.marker]
        if self.parallel:
            # In small portions, in the order of the collection: what takes minutes is
            # first, and what empties the tables after all that needs their first rows.
            arguments += ["-n", str(self.parallel), "--maxschedchunk", "8"]
        return int(pytest.main([*arguments, *test_labels]))
