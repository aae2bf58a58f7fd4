"""Which file this is: known by its first bytes, whatever it is called now.

Reads the table of imported files. A file that was renamed, packed or has grown has the
same first bytes; of one that was short when it was first read, fewer are compared.
"""

from __future__ import annotations

from hashlib import sha256

from django.utils import timezone

from ..models import ImportedFile
from ..recording.event import clean

HEAD = 16_384
"""So many bytes: logs of several servers may begin with the same checks of health."""
SOURCE = "(log) "
NAME_LIMIT = 16


def known_file(site: str, head: bytes) -> ImportedFile | None:
    """The file that began with these bytes when it was read before."""
    files = ImportedFile.objects.filter(site=site, head__lte=len(head)).order_by()
    lengths = files.values_list("head", flat=True).distinct()
    digests = [_digest(head[:length]) for length in lengths]
    return files.filter(digest__in=digests).order_by("-head").first()


def new_file(site: str, head: bytes, name: str) -> ImportedFile:
    """Not saved yet."""
    digest, now = _digest(head), timezone.now()
    name = clean(name)
    return ImportedFile(
        site=site,
        digest=digest,
        head=len(head),
        name=name,
        producer=f"{SOURCE}{name[-NAME_LIMIT:]} {digest[:8]}",
        started=now,
        seen=now,
    )


def know_better(file: ImportedFile, head: bytes) -> None:
    """Remember more of the first bytes, now that there are more."""
    if len(head) > file.head:
        file.digest, file.head = _digest(head), len(head)


def _digest(head: bytes) -> str:
    return sha256(head).hexdigest()
