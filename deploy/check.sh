# `install.sh --check`: a line for each thing that has to hold, green or red; to be
# sourced after the other files. Changes nothing.
# shellcheck shell=bash

RED=0

# holds WORDS COMMAND…: what it says in one line, and what the command said if it fails.
holds() {
    local words=$1 said green='' red='' plain=''
    shift
    if [ -t 1 ]; then green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; fi
    if said=$("$@" 2>&1); then
        printf '%sok%s    %s\n' "$green" "$plain" "$words"
    else
        printf '%sFAILS%s %s\n' "$red" "$plain" "$words"
        [ -z "$said" ] || printf '%s\n' "$said" | tail -n 5 | sed 's/^/        /'
        RED=$((RED + 1))
    fi
}

is() { [ "$(stat -L -c '%04a %U:%G' "$1")" = "$2 $3" ]; }

# Prints what of the code others than root could change: there must be nothing.
nobody_changes_code() {
    ! find "$APP" ! -type l \( ! -user root -o -perm /022 \) -print -quit | grep .
}

env_is_complete() {
    local name
    for name in SECRET_KEY JWT_KEY ANALYTICS_KEY ALLOWED_HOSTS DATABASE_URL REDIS_URL; do
        [ -n "$(env_value "$name")" ] || { echo "$name is not set"; return 1; }
    done
}

manage() { site_as "$SITE_USER" "$RELEASE" "$@"; }

redis_wants_password() {
    (cd "$RELEASE" && .venv/bin/python -B -c '
import redis, sys
try:
    redis.Redis(unix_socket_path=sys.argv[1]).ping()
except redis.AuthenticationError:
    sys.exit()
sys.exit("it answers without a password")' /run/dashboard-redis/redis.sock)
}

redis_has_no_port() { grep -qx 'port 0' "$CONFIG/redis.conf"; }

certificate_is_good() { openssl x509 -noout -checkend 604800 -in "$CONFIG/tls/certificate.pem"; }

site_is_loaded() {
    (cd "$RELEASE" && site_as "$SITE_USER" "$RELEASE" shell -v 0 -c '
from django.test import Client
from django.conf import settings
import sys
said = Client().get("/healthz", headers={"host": settings.ALLOWED_HOSTS[0]})
sys.exit(0 if said.status_code in (200, 503) else said.status_code)')
}

check_files() {
    holds "settings: $ENV_FILE is complete" env_is_complete
    holds "settings: none but root and the site reads them" is "$ENV_FILE" 0640 "root:$SITE_USER"
    holds "code: nobody but root can change it" nobody_changes_code
    holds "state: the journal is the site's alone" is "$STATE/journal" 0700 "$SITE_USER:$SITE_USER"
    holds "state: the site cannot change its static files" is "$STATE/static" 0755 root:root
    holds "certificate: its key is root's alone" is "$CONFIG/tls" 0700 root:root
    holds "certificate: good for a week or more" certificate_is_good
    holds "units: systemd takes them" verify_units
    holds "nginx: takes its configuration" nginx -q -t
}

check_parts() {
    local name
    for name in $(databases); do
        holds "database $name: all migrations are applied" is_migrated "$name"
    done
    if own_redis; then
        holds "Redis: its settings are the site's alone" is "$CONFIG/redis.conf" 0640 "root:$REDIS_USER"
        holds "Redis: wants a password" redis_wants_password
        holds "Redis: listens on no port" redis_has_no_port
    fi
    holds "Redis: answers, keeps all, writes to disk" manage check --tag analytics_redis \
        --fail-level WARNING
    holds "settings: fit for production" check_settings
}

check_services() {
    local name
    if ! has_systemd; then
        holds "site: it loads and answers /healthz" site_is_loaded
        say "--    services: no systemd runs here, so none of them does"
        return
    fi
    for name in dashboard.target $(running_services) nginx.service; do
        holds "service: $name is up" systemctl is-active "$name"
    done
    for name in dashboard.target nginx.service; do
        holds "service: $name comes with the machine" systemctl is-enabled "$name"
    done
    holds "site: /healthz says ok" ask_health
}

check_all() {
    [ -L "$CURRENT" ] || die "nothing is installed here: run install.sh"
    RELEASE=$(readlink -f "$CURRENT")
    start_servers
    check_files
    check_parts
    check_services
    [ "$RED" = 0 ] && { say "All is well."; return; }
    say "$RED not well."
    return 1
}
