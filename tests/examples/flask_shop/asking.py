"""Asks the shop of `wsgi.py` in a process of its own, where nothing else is imported.

Reads `METHOD address` lines; writes the statuses, and then which modules there are.
"""

import sys

from flask_shop.wsgi import application


def main() -> None:
    browser = application.test_client()
    for line in sys.stdin.read().splitlines():
        method, address = line.split()
        with browser.open(address, method=method) as answer:
            print(answer.status_code)
    print(*sorted({name.partition(".")[0] for name in sys.modules}))


if __name__ == "__main__":
    main()
