"""``python -m tests.acceptance.people``: Ann of the tested site, and what acts as her.

Prints, as the last words, her token, and an OAuth application's id and secret.
"""

import django

NAME, PASSWORD = "Ann", "correct horse battery"


def make() -> tuple[str, str, str]:
    from django.contrib.auth.models import Group, User

    from access.models import ApiToken
    from tests.access.oauth.dancing import register_machine

    ann = User.objects.create_user(NAME, "ann@example.org", PASSWORD, is_staff=True)
    ann.groups.add(Group.objects.get(name="Product manager"))
    token = ApiToken(user=ann, name="nightly", scope="products:read products:write")
    text = token.renew_secret()
    token.save()
    application, secret = register_machine(ann, allowed_scopes="products:read")
    return text, application.client_id, secret


if __name__ == "__main__":
    django.setup()
    print(*make())
