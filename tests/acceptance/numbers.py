"""``python -m tests.acceptance.numbers``: what the admin of a demo shows, as JSON.

The overview, the ledger, the catalogue, and who may sign in: equal before and after a
move, whatever databases they come from.
"""

import json

import django

UNTIL = "2026-10-31"


def numbers() -> dict[str, object]:
    from django.contrib.auth.models import User
    from django.test import Client

    from analytics.models import Producer
    from products.models import Product

    browser = Client(headers={"host": "localhost"})
    browser.force_login(User.objects.get(username="Ann"))
    page = "/admin/analytics/rollup/overview/numbers/"
    shown = browser.get(page, {"from": "2026-10-25", "to": UNTIL, "audience": "all"})
    people = User.objects.order_by("username").prefetch_related("groups")
    return {
        "overview": shown.json(),
        "ledger": Producer.objects.all().sums(),
        "products": list(map(str, Product.objects.order_by("pk").values_list())),
        "people": [
            (user.username, user.password, sorted(g.name for g in user.groups.all()))
            for user in people
        ],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(numbers()))
