"""Whether the journal's folder can be written, is private, local and lasts.

Reads folders and ``/proc``, and makes no folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import get_config

# fmt: off
NETWORK = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2",
    "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
))
# fmt: on
MOUNTS = Path("/proc/self/mountinfo")


def check_journal(**kwargs: Any) -> list[checks.CheckMessage]:
    directory = _journal_dir()
    if directory is None:
        return []
    existing = _nearest(directory)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return [
            checks.Error(
                f"Requests cannot be recorded: {existing} is not a folder that can be "
                "written.",
                hint="Let ANALYTICS_JOURNAL_DIR name a local folder that the web "
                "processes may write.",
                id="analytics.E002",
            )
        ]
    return [*_network(directory, existing), *_permissive(directory)]


def check_journal_lasts(**kwargs: Any) -> list[checks.CheckMessage]:
    """Information, not a warning: a container that only tests is a good use of one."""
    directory = _journal_dir()
    if directory is None or _file_system(_nearest(directory)) != "overlay":
        return []
    return [
        checks.Info(
            f"The journal folder {directory} goes when its container goes, with the "
            "requests in it that are not counted yet.",
            hint="Mount a volume, and let ANALYTICS_JOURNAL_DIR name a folder on it.",
            id="analytics.I002",
        )
    ]


def _network(directory: Path, existing: Path) -> Iterator[checks.CheckMessage]:
    kind = _file_system(existing)
    if kind in NETWORK:
        yield checks.Warning(
            f"The journal folder {directory} is on a network file system ({kind}): "
            "every request would wait for it, and its locks cannot be relied on.",
            hint="Let ANALYTICS_JOURNAL_DIR name a folder on a local disk, one for "
            "each machine.",
            id="analytics.W002",
        )


def _permissive(directory: Path) -> Iterator[checks.CheckMessage]:
    if directory.is_dir() and directory.stat().st_mode & 0o077:
        yield checks.Warning(
            f"Others may look into the journal folder {directory}.",
            hint=f"chmod 700 {directory}",
            id="analytics.W003",
        )


def _journal_dir() -> Path | None:
    """None when the settings are wrong, which another check says."""
    try:
        return get_config().recorder.journal_dir.absolute()
    except ImproperlyConfigured:
        return None


def _nearest(directory: Path) -> Path:
    """What exists of the path; the journal makes the rest."""
    paths = (directory, *directory.parents)
    return next(path for path in paths if os.path.exists(path))


def _file_system(path: Path, mounts: Path | None = None) -> str:
    """The type of file system that ``path`` is on; empty where nobody can tell."""
    try:
        lines = (mounts or MOUNTS).read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # The last mount of a point hides those before it.
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind
