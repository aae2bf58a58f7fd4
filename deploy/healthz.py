"""Asks a site how it is: `healthz.py SOCKET|HOST:PORT NAME [PART…]`; 0 if it is well.

NAME is one of ALLOWED_HOSTS. With parts (`worker`, `beat`), only these have to be well.
Prints what the site says. Needs the standard library alone.
"""

from __future__ import annotations

import socket
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 10


class UnixConnection(HTTPConnection):
    """HTTP over the Unix socket at a path."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(where: str, name: str) -> tuple[int, str]:
    """Status and text of the answer."""
    connection = (
        UnixConnection(where)
        if where.startswith("/")
        else HTTPConnection(where, timeout=SECONDS)
    )
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace").strip()
    finally:
        connection.close()


def main(where: str, name: str, *parts: str) -> int:
    try:
        status, said = ask(where, name)
    except (OSError, HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    print(said)
    well = not set(parts) & set(said.replace(",", " ").split())
    return 0 if status == 200 or (status == 503 and parts and well) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
