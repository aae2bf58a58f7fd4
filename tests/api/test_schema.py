"""The description: it is valid, says what is there, and is for those who use it."""

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from api.problems import CODES
from tests.api.calling import EDITOR, FORMATS, READ, SCOPES, caller, person, send

pytestmark = pytest.mark.django_db
SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"


@pytest.fixture(scope="module")
def described():
    return SchemaGenerator(api_version="v1").get_schema(request=None, public=True)


def operations(described):
    return {
        (verb, path): operation
        for path, verbs in described["paths"].items()
        for verb, operation in verbs.items()
    }


def test_the_description_is_valid_and_without_warnings(tmp_path):
    file = tmp_path / "schema.yaml"
    call_command(
        "spectacular", "--validate", "--fail-on-warn", api_version="v1", file=str(file)
    )
    validate_schema(yaml.safe_load(file.read_text()))


def test_every_operation_declares_its_refusals(described):
    for (verb, path), operation in operations(described).items():
        found = set(operation["responses"])
        expected = {"400", "401", "406", "429"}
        if "/auth/" not in path:
            expected |= {"403"}
        if verb != "get":
            expected |= {"413", "415"}
        if "{" in path:
            expected |= {"404", "412"}
        assert expected <= found, (verb, path)
        if "/analytics/" in path:
            assert not found & {"304", "404", "409", "412"}, path
        elif verb == "get":
            assert {"304", "404", "412"} <= found, path


def test_the_catalogue_declares_formats_credentials_and_fields(described):
    found = operations(described)
    create = found["post", "/api/v1/products/"]
    kinds = {kind.partition(";")[0] for kind in create["requestBody"]["content"]}
    forms = {"multipart/form-data"}
    assert kinds == {FORMATS[each] for each in READ if each != "multipart"} | forms
    assert set(create["responses"]["201"]["content"]) == set(FORMATS.values())
    assert {name for one in create["security"] for name in one} == {
        "token",
        "jwt",
        "oauth",
        "cookieAuth",
    }
    assert {"oauth": ["products:write"]} in create["security"]
    bulk = found["post", "/api/v1/products/bulk/"]
    assert {each["name"] for each in bulk["parameters"]} >= {"mode", "dry_run"}
    codes = described["components"]["schemas"]["Problem"]["properties"]["code"]
    assert codes["enum"] == list(CODES)


def test_the_flows_of_oauth_are_described(described):
    scheme = described["components"]["securitySchemes"]["oauth"]
    assert scheme["type"] == "oauth2"
    flows = scheme["flows"]
    assert set(flows) == {"authorizationCode", "clientCredentials"}
    assert flows["authorizationCode"]["authorizationUrl"] == "/oauth/authorize/"
    for flow in flows.values():
        assert flow["tokenUrl"] == "/oauth/token/"
        assert list(flow["scopes"]) == list(SCOPES)


def test_every_code_of_a_refusal_is_described():
    from rest_framework import exceptions

    from api import problems

    for module in (exceptions, problems):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, exceptions.APIException):
                code = each.default_code
                assert code in CODES or code == "error", code


@pytest.mark.parametrize(
    ("who", "kind", "schema", "docs"),
    [
        ("nobody", "none", 401, 302),
        ("visitor", "session", 403, 302),
        ("visitor", "token", 200, 302),
        ("staff", "session", 200, 200),
        ("staff", "jwt", 200, 302),
        ("staff", "oauth", 200, 302),
    ],
)
def test_who_may_read_it(who, kind, schema, docs):
    user = person(is_staff=who == "staff") if who != "nobody" else None
    client = caller(user, kind)
    assert client.get(SCHEMA).status_code == schema
    page = client.get(DOCS)
    assert page.status_code == docs
    if docs == 302:
        assert page["Location"].startswith("/admin/login/")


def test_the_page_shows_every_operation_and_every_code(described):
    client = caller(person(*EDITOR, is_staff=True), "session")
    page = client.get(DOCS).text
    for (verb, path), operation in operations(described).items():
        assert f'id="{operation["operationId"]}"' in page
        assert f'{verb.upper()}</span> <span class="path">{path}</span>' in page
    for code in CODES:
        assert f'id="problem-{code}"' in page
    assert "<script>" not in page
    assert page.count("<details") == len(operations(described))
    assert "Adds and changes up to 10 000 products, found by SKU." in page
    assert "Access and refresh token for a name and a password." in page


def test_the_page_shows_choices_and_what_is_answered():
    client = caller(User.objects.create_user("staff", is_staff=True), "session")
    page = client.get(DOCS).text
    assert "One of: all, bots, people, staff" in page
    assert "<code>totals.visitors</code>" in page
    assert "<code>results.sku</code>" in page
    assert "<code>expires_in</code>" in page


def test_the_type_of_a_problem_leads_to_its_meaning():
    client = caller(User.objects.create_user("staff", is_staff=True), "session")
    kind = send(client, "get", "/api/v1/nothing/").json()["type"]
    address, _, anchor = kind.partition("#")
    assert f'id="{anchor}"' in client.get(address).text
