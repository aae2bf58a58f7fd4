"""``python -m tests.postgres COMMAND``: runs it with a fresh PostgreSQL.

The server is the embedded one, is made for the command, and goes with it.
"""

import os
import subprocess
import sys

from tests.acceptance.databases import PostgresServer


def main(command: list[str]) -> int:
    server = PostgresServer()
    try:
        url = server.make(name="suite").url
        return subprocess.run(
            command, env=os.environ | {"DATABASE_URL": url}
        ).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
