"""``make picture``: the overview with the demo's traffic, as the README shows it.

Writes ``docs/pictures/overview.png``. The picture carries a digest of what it was made
from, so that a test notices when it is older than the code.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.running import ROOT, running_site

PICTURE = ROOT / "docs" / "pictures" / "overview.png"
SOURCES = (
    "analytics/templates/admin/analytics/overview.html",
    "analytics/templates/admin/analytics/response_times.html",
    "analytics/static/analytics/*.css",
    "analytics/static/analytics/*.js",
    "analytics/reporting/overview.py",
    "analytics/reporting/pages.py",
    "analytics/reporting/response_times.py",
    "dashboard/admin_site.py",
    "dashboard/templates/admin/*.html",
    "dashboard/static/dashboard/*",
    "package-lock.json",
)
SIZE = {"width": 1280, "height": 1180}
KEYWORD = b"Source digest"
HEAD = b"\x89PNG\r\n\x1a\n"


def digest() -> str:
    """Of all files that decide what the page looks like."""
    found = hashlib.sha256()
    for file in sorted({file for glob in SOURCES for file in ROOT.glob(glob)}):
        if file.is_file():
            found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return found.hexdigest()


def digest_in(picture: bytes) -> str:
    """What a picture says that it was made from; empty if it says nothing."""
    for kind, content in _chunks(picture):
        keyword, _, text = content.partition(b"\0")
        if kind == b"tEXt" and keyword == KEYWORD:
            return text.decode()
    return ""


def with_digest(picture: bytes, text: str) -> bytes:
    """The picture with a text behind its first chunk, its header."""
    content = KEYWORD + b"\0" + text.encode()
    check = struct.pack(">I", zlib.crc32(b"tEXt" + content))
    chunk = struct.pack(">I", len(content)) + b"tEXt" + content + check
    end = len(HEAD) + 12 + struct.unpack_from(">I", picture, len(HEAD))[0]
    return picture[:end] + chunk + picture[end:]


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(HEAD)
    while place < len(picture):
        (length,) = struct.unpack_from(">I", picture, place)
        yield picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        place += 12 + length


def shoot() -> bytes:
    """A browser's view of the overview, on a site of its own."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM

    with (
        tempfile.TemporaryDirectory(prefix="picture-") as folder,
        running_site(Path(folder)) as site,
        sync_playwright() as api,
    ):
        site.manage("demo")
        browser = api.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page(base_url=site.address, viewport=SIZE)
        page.goto("/admin/")
        page.fill("#id_username", "admin")
        page.fill("#id_password", site.password)
        page.click("[type=submit]")
        page.wait_for_selector("figure[data-drawn]")
        page.wait_for_selector(".analytics-waiting[data-state=ok]")
        picture = page.screenshot()
        browser.close()
    return picture


def main() -> int:
    PICTURE.write_bytes(with_digest(shoot(), digest()))
    print(f"{PICTURE.relative_to(ROOT)} is as new as the code.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
