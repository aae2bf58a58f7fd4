"""The settings of a tested site with the admin, the API and accounts apart."""

from tests.acceptance.settings import *  # noqa: F403
from tests.acceptance.settings import TEMPLATES

ROOT_URLCONF = "tests.acceptance.users_urls"
TEMPLATES[0]["APP_DIRS"] = True
