"""compose.yaml and the Dockerfile: who may do what, and that everything is watched.

The images are not built here: that needs Docker, and a registry of images.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("migrate", "web", "drain", "jobs", "beat")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(params=sorted(SERVICES))
def service(request):
    return SERVICES[request.param]


def test_all_processes_are_there():
    assert set(SERVICES) == {*OURS, "postgres", "valkey", "mariadb"}
    assert SERVICES["mariadb"]["profiles"] == ["users"]


def test_nobody_is_root_or_can_become_it(service):
    user, group = service["user"].split(":")
    assert int(user) > 0 < int(group)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service


def test_nothing_of_an_image_can_be_written_to(service):
    assert service["read_only"] is True
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])  # noqa: S108
    # Named volumes, no folder of the host.
    names = [mount.split(":")[0] for mount in service["volumes"]]
    assert set(names) <= set(COMPOSE["volumes"])


def test_everything_that_stays_is_watched_and_comes_back(service):
    if service["restart"] == "no":
        assert service is SERVICES["migrate"]
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert "interval" in service["healthcheck"]


def test_ports_are_on_loopback_alone():
    ports = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_servers_of_data_cannot_be_reached_from_outside():
    assert COMPOSE["networks"]["data"]["internal"] is True
    for name in ("postgres", "valkey", "mariadb"):
        assert SERVICES[name]["networks"] == ["data"]


def test_images_are_pinned(service):
    tag = service["image"].partition(":")[2]
    assert tag == "local" or re.match(r"\d+\.\d+", tag)


@pytest.mark.parametrize("line", re.findall(r"(?m)^FROM (\S+)", DOCKERFILE))
def test_base_images_are_pinned(line):
    assert re.search(r":\d+\.\d+\.\d+-", line)


def test_image_runs_as_nobody_and_holds_no_secret():
    assert re.findall(r"(?m)^USER (.+)$", DOCKERFILE) == ["10001:10001"]
    # With --system its group would get another number, below 1000.
    (useradd,) = re.findall(r"useradd [^&]+", DOCKERFILE)
    assert "--uid 10001 --user-group" in useradd
    assert "--system" not in useradd
    assert not re.search(r"(?m)^(ARG|ENV).*(KEY|PASSWORD|SECRET)", DOCKERFILE)
    assert "--require-hashes" in DOCKERFILE
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    assert {".*", "deploy/secrets", "var"} <= set(ignored)


def test_services_say_no_secret(service):
    assert "environment" not in service
    assert service["env_file"].startswith("deploy/secrets/")


def test_servers_run_the_lines_of_the_procfile():
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, words = line.partition(": exec ")
        if name != "web":
            assert SERVICES[name]["command"] == words.split()


def test_redis_keeps_all_and_wants_a_password():
    (script,) = SERVICES["valkey"]["command"]
    assert "requirepass" in script
    assert "--appendonly yes" in script
    assert "--maxmemory-policy noeviction" in script


def test_redis_is_told_itself_to_stop(tmp_path):
    """A shell above it would end at once, and the server with it, unasked."""
    server = tmp_path / "valkey-server"
    server.write_text('#!/bin/sh\necho $$\nexec cat "$1"\n')
    server.chmod(0o755)
    words = [*SERVICES["valkey"]["entrypoint"], *SERVICES["valkey"]["command"]]
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VALKEY_PASSWORD": "top secret"}
    with subprocess.Popen(
        [word.replace("$$", "$") for word in words],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        said, _ = shell.communicate()
    assert said.splitlines() == [str(shell.pid), "requirepass top secret"]


def test_postgres_is_healthy_only_once_it_can_be_reached():
    """The server that makes the database on the first start listens to no port."""
    test = SERVICES["postgres"]["healthcheck"]["test"]
    assert test[test.index("-h") + 1] == "127.0.0.1"


def test_no_password_is_printed_into_a_log(tmp_path):
    script = tmp_path / "secrets.sh"
    script.write_bytes((ROOT / "deploy/secrets.sh").read_bytes())
    subprocess.run(["bash", script, "www.example.org"], check=True)
    said = (tmp_path / "secrets/mariadb.env").read_text()
    assert "RANDOM" not in said
    assert re.search(r"(?m)^MARIADB_ROOT_PASSWORD=[0-9a-f]{64}$", said)
    assert "MARIADB_ROOT_HOST=localhost\n" in said


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path):
    script = tmp_path / "secrets.sh"
    script.write_bytes((ROOT / "deploy/secrets.sh").read_bytes())
    for _ in range(2):
        done = subprocess.run(["bash", script, "www.example.org"], check=True)
        assert done.returncode == 0
        made = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
        found = re.findall(r"[0-9a-f]{64}", "".join(made.values()))
        # Three passwords are said twice: to the server, and to the site.
        assert len(found) == 10
        assert len(set(found)) == 7
    modes = {p.stat().st_mode & 0o777 for p in (tmp_path / "secrets").iterdir()}
    assert modes == {0o600}
    files = {Path(service["env_file"]).name for service in SERVICES.values()}
    assert set(made) == files


def test_accounts_in_mariadb_are_a_line_without_its_sign_away(tmp_path):
    script = tmp_path / "secrets.sh"
    script.write_bytes((ROOT / "deploy/secrets.sh").read_bytes())
    subprocess.run(["bash", script, "www.example.org"], check=True)
    server = (tmp_path / "secrets/mariadb.env").read_text()
    site = (tmp_path / "secrets/site.env").read_text()
    user, password, name = (
        re.search(rf"MARIADB_{word}=(\w+)", server)[1]
        for word in ("USER", "PASSWORD", "DATABASE")
    )
    url = f"mysql://{user}:{password}@mariadb/{name}"
    assert re.findall(r"(?m)^#?USERS_DATABASE_URL=.*$", site) == [
        f"#USERS_DATABASE_URL={url}"
    ]


@pytest.mark.parametrize(
    ("url", "migrated"),
    [("", ["default"]), ("mysql://db.example.org/users", ["default", "users"])],
)
def test_all_databases_are_migrated_before_the_site_starts(tmp_path, url, migrated):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$* ${USERS_DATABASE_TIMEOUT:-}"\n')
    python.chmod(0o755)
    words = [word.replace("$$", "$") for word in SERVICES["migrate"]["command"]]
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "USERS_DATABASE_URL": url}
    done = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
    said = {
        "default": "manage.py migrate --no-input ",
        "users": "manage.py migrate --no-input --database=users 600",
    }
    assert done.stdout.splitlines() == [said[name] for name in migrated]
    waits = SERVICES["migrate"]["depends_on"]["mariadb"]
    assert waits == {"condition": "service_healthy", "required": False}
