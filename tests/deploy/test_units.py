"""The scripts and units of install.sh, as far as they can be tried without root."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["install.sh", "deploy/dashboard"]
SCRIPTS += sorted(str(p.relative_to(ROOT)) for p in (ROOT / "deploy").glob("*.sh"))
RUN = ["install.sh", "deploy/dashboard", "deploy/backup.sh", "deploy/secrets.sh"]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.stem for path in UNITS.glob("*.service"))


def needs(tool: str) -> str:
    if found := shutil.which(tool):
        return found
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{tool} is not installed")


def say(*words: str, **env: str) -> str:
    """What the functions of common.sh said, with paths of one's own."""
    script = f'set -euo pipefail; . "{ROOT}/deploy/common.sh"; ' + "; ".join(words)
    return subprocess.run(
        ["bash", "-c", script],
        env=os.environ | env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_read(script):
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_shellcheck_has_nothing_to_say():
    words = [needs("shellcheck"), "--external-sources", *SCRIPTS]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", RUN)
def test_what_is_run_stops_at_the_first_error(script):
    assert "\nset -euo pipefail\n" in (ROOT / script).read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_units_run_the_lines_of_the_procfile(name):
    process = name.removeprefix("dashboard-")
    lines = (ROOT / "Procfile").read_text().splitlines()
    procfile = dict(line.split(": exec python ", 1) for line in lines)
    unit = (UNITS / f"{name}.service").read_text()
    if process == "redis":
        assert "ExecStart=@REDIS_SERVER@ /etc/dashboard/redis.conf" in unit
        return
    # The socket is systemd's.
    wanted = procfile[process].replace(" --bind 127.0.0.1:$PORT", "")
    said = re.search(r"ExecStart=\S+/python (.+)", unit)[1].replace("%%", "%")
    assert said == wanted


def test_target_wants_all_of_them():
    wanted = re.findall(r"dashboard-\w+\.\w+", (UNITS / "dashboard.target").read_text())
    assert set(wanted) == {p.name for p in UNITS.glob("dashboard-*.*") if p.is_file()}


@pytest.mark.parametrize("name", SERVICES)
def test_units_may_write_one_folder(name):
    unit = (UNITS / f"{name}.service").read_text()
    assert len(re.findall(r"(?m)^ReadWritePaths=/var/lib/dashboard[\w/-]+$", unit)) == 1
    assert not re.search(r"(?m)^User=root", unit)
    assert re.search(r"(?m)^User=dashboard", unit)


def test_systemd_takes_the_units(tmp_path):
    tool = needs("systemd-analyze")
    for path in UNITS.iterdir():
        if path.is_dir():
            shutil.copytree(path, tmp_path / path.name)
            continue
        # The programs are not here: something is that can be run.
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text())
        (tmp_path / path.name).write_text(text)
    units = [str(path) for path in tmp_path.iterdir() if path.is_file()]
    done = subprocess.run([tool, "verify", *units], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "dashboard" in line]


def test_web_server_replaces_what_clients_say_of_themselves():
    said = (ROOT / "deploy/nginx.conf").read_text()
    for header, value in {
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-Host": '""',
        "Forwarded": '""',
    }.items():
        assert f"proxy_set_header {header} {value};" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "80"], "what is --port?"),
        (["--host"], "needs a value"),
        (["--purge"], "belongs to --uninstall"),
        (["--certificate", "/etc/hostname"], "belong together"),
        (["--key", "/no/such/file"], "there is no"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_done(options, words):
    words_of_it = ["bash", ROOT / "install.sh", *options]
    done = subprocess.run(words_of_it, capture_output=True, text=True)
    assert done.returncode == 1
    assert words in done.stderr


def test_files_are_written_once(tmp_path):
    owner = f"{os.getuid()}:{os.getgid()}"
    put = f'put "{tmp_path}/file" 0640 {owner} <<<"a text"'
    said = say("allow() { :; }", put, put, 'echo "$CHANGES"')
    assert said.split()[-1] == "1"
    assert (tmp_path / "file").read_text() == "a text\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_settings_are_changed_in_their_place_and_kept_keys_are_kept(tmp_path):
    file = tmp_path / "env"
    file.write_text("# Ours.\nKEY=old\nHOSTS=a.example.org\nOTHER=1\n")
    put = 'put() { cat >"$ENV_FILE.new"; mv "$ENV_FILE.new" "$ENV_FILE"; }'
    say(
        f'ENV_FILE="{file}"',
        put,
        "set_env HOSTS b.example.org",
        "keep_env KEY new",
        "keep_env MORE 'a|b&c'",
    )
    assert file.read_text() == (
        "# Ours.\nKEY=old\nHOSTS=b.example.org\nOTHER=1\nMORE=a|b&c\n"
    )


def test_settings_are_never_run(tmp_path):
    file = tmp_path / "env"
    file.write_text("; a comment\nNAME=$(touch pwned) `id` ; x\n\nLAST=1")
    said = say(
        f'ENV_FILE="{file}"', f'cd "{tmp_path}"', "load_env", 'echo "$NAME|$LAST"'
    )
    assert said == "$(touch pwned) `id` ; x|1\n"
    assert not (tmp_path / "pwned").exists()


def test_release_holds_what_runs_and_nothing_else():
    said = say(f'SOURCE="{ROOT}"', f'. "{ROOT}/deploy/release.sh"', "runtime_files")
    files = said.splitlines()
    folders = {Path(name).parts[0] for name in files if "/" in name}
    assert {"access", "analytics", "api", "dashboard", "deploy", "products"} <= folders
    assert not folders & {"tests", "bench", "docs", "examples", "var", "node_modules"}
    assert not [name for name in files if name.startswith("deploy/secrets/")]
    missing = [name for name in files if not (ROOT / name).is_file()]
    assert missing == []


def test_release_holds_every_package_of_the_site():
    said = say(f'SOURCE="{ROOT}"', f'. "{ROOT}/deploy/release.sh"', "runtime_files")
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    found = {Path(name).parts[0] for name in said.splitlines()}
    assert packages - {"tests", "bench", "examples"} <= found


def test_an_upgrade_that_broke_off_does_not_take_the_place_of_one_to_go_back_to(
    tmp_path,
):
    for name, age in {"old": 3, "before": 2, "begun": 1, "now": 0}.items():
        folder = tmp_path / "releases" / name
        folder.mkdir(parents=True)
        venv = tmp_path / "venvs" / name
        venv.mkdir(parents=True)
        if name != "begun":
            (folder / "complete").touch()
            (folder / ".venv").symlink_to(venv)
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "current").symlink_to("releases/now")
    paths = f'APP="{tmp_path}"; CURRENT="{tmp_path}/current"'
    say(f'. "{ROOT}/deploy/release.sh"', paths, "remove_old_releases")
    for kind in ("releases", "venvs"):
        assert {path.name for path in (tmp_path / kind).iterdir()} == {"before", "now"}


def test_purge_drops_the_database_where_it_was_made(tmp_path):
    """There may be several clusters, each with a database of that name."""
    env_file = tmp_path / "env"
    env_file.write_text(
        "DATABASE_URL=postgres://dashboard@%2Fvar%2Frun%2Fpostgresql:5433/dashboard\n"
    )
    script = (ROOT / "install.sh").read_text()
    drop = re.search(r"(?ms)^drop_database\(\) \{.*?^\}$", script)[0]
    said = say(
        f'. "{ROOT}/deploy/machine.sh"',
        f'ENV_FILE="{env_file}" CURRENT="{tmp_path}/none"',
        drop,
        'as_postgres() { echo "$*"; }',
        "drop_database",
    )
    assert said.startswith("psql -X -q -p 5433 -c DROP DATABASE")


@pytest.mark.parametrize("label", ["shop", "a" * 60])
def test_a_certificate_is_made_for_names_of_any_length(tmp_path, label):
    needs("openssl")
    hosts = f"{label}.example.org,other.example.org"
    (tmp_path / "tls").mkdir()
    say(
        f'. "{ROOT}/deploy/services.sh"',
        f'CONFIG="{tmp_path}" HOSTS={hosts} CERTIFICATE= KEY=',
        "make_certificate",
    )
    words = ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in"]
    words.append(str(tmp_path / "tls/certificate.pem"))
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert f"DNS:{label}.example.org, DNS:other.example.org" in said


def test_a_certificate_made_here_is_kept_until_the_names_change(tmp_path):
    needs("openssl")
    (tmp_path / "tls").mkdir()
    file = tmp_path / "tls/certificate.pem"

    def make(hosts: str) -> bytes:
        say(
            f'. "{ROOT}/deploy/services.sh"',
            f'CONFIG="{tmp_path}" HOSTS={hosts} CERTIFICATE= KEY=',
            "make_certificate",
        )
        return file.read_bytes()

    first = make("shop.example.org,other.example.org")
    assert make("shop.example.org") == first
    assert make("shop.example.org,new.example.org") != first


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("unix://:secret@/run/dashboard-redis/redis.sock", True),
        ("redis://:secret@redis.example.org:6379/0", False),
    ],
)
def test_a_redis_elsewhere_is_not_started_here(tmp_path, url, is_ours):
    (tmp_path / "env").write_text(f"REDIS_URL={url}\n")
    said = say(
        *(f'. "{ROOT}/deploy/{name}.sh"' for name in ("machine", "services")),
        f'ENV_FILE="{tmp_path}/env"',
        "has_systemd() { true; }",
        # Of all services nginx alone is up.
        'systemctl() { if [ "$1" = start ]; then echo "$*"; else [ "$3" = nginx ]; fi '
        "}",
        "start_services",
    )
    assert ("dashboard-redis.service" in said) is is_ours
    assert "dashboard-web.service" in said
    # Nor by the target, which wants all of them.
    unit = (UNITS / "dashboard-redis.service").read_text()
    assert "\nConditionPathExists=/etc/dashboard/redis.conf\n" in unit


def test_a_package_is_found_however_much_is_said_of_it():
    many = 'for n in {1..9999}; do echo "  Candidate: $n"; done'
    found = [
        f'. "{ROOT}/deploy/machine.sh"',
        f"apt-cache() {{ {many}; }}",
        "has_candidate valkey-server",
        "echo found",
    ]
    assert say(*found) == "found\n"
