"""Django's commands for accounts, where accounts may have a database of their own."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command, get_commands, load_command_class
from django.db import router


@pytest.mark.parametrize("name", ["createsuperuser", "changepassword"])
def test_it_works_where_accounts_are(name, monkeypatch):
    command = load_command_class(get_commands()[name], name)
    monkeypatch.setattr(router, "db_for_write", lambda model: f"where {model} is")
    parser = command.create_parser("manage.py", name)
    assert parser.get_default("database") == f"where {User} is"


@pytest.mark.django_db
def test_a_superuser_is_made_and_gets_another_password(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a first password")
    call_command("createsuperuser", username="ada", email="", interactive=False)
    monkeypatch.setattr("getpass.getpass", lambda **words: "another password")
    call_command("changepassword", "ada")
    assert User.objects.get(username="ada").is_superuser
    assert User.objects.get(username="ada").check_password("another password")
