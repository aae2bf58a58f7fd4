"""The file of the lines that could not be read, each with its number and the reason.

Written only when there is such a line, for its owner alone: a log tells who came.
"""

from __future__ import annotations

import os
from pathlib import Path

from .files import SHOWN, LogError

SUFFIX = ".unreadable.txt"
"""What a log's name has behind it in the file's, if no other one was told."""


class Rejects:
    """Collects lines; `write` appends them. ``count`` is how many were written."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        """None: they are only counted."""
        self.count = 0
        self._lines: list[str] = []

    def add(self, name: str, number: int, reason: str, line: str) -> None:
        self.count += 1
        if self.path:
            shown = line[:SHOWN].rstrip()
            self._lines.append(f"{name}:{number}\t{reason}\t{shown}\n")

    def write(self) -> None:
        """Append what was collected. Raises LogError."""
        if not self.path or not self._lines:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            with open(os.open(self.path, flags, 0o600), "ab") as file:
                # The very bytes: the text was read as Latin-1.
                file.write("".join(self._lines).encode("latin-1", "replace"))
        except OSError as error:
            raise LogError(
                f"{self.path}: {error.strerror or error}, so the unreadable lines "
                "cannot be kept; name another file with --rejects."
            ) from error
        self._lines.clear()
