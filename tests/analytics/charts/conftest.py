"""Fixtures: a site in Berlin, and who may look at its charts."""

import pytest
from django.contrib.auth.models import Permission, User


@pytest.fixture(autouse=True)
def berlin(site):
    site.TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def viewer(client):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_dashboardstats"))
    client.force_login(user)
    return client
