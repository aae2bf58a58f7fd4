# What the machine has to have: packages, users, database, Redis; to be sourced after
# common.sh. Each function leaves alone what is right already.
# shellcheck shell=bash disable=SC2034

find_system() {
    local ID='' VERSION_ID=''
    # shellcheck source=/dev/null
    . /etc/os-release
    case $ID:$VERSION_ID in
        debian:12 | debian:13) PYTHON=python3 ;;
        # Its own Python is 3.10.
        ubuntu:22.04) PYTHON=python3.11 ;;
        ubuntu:2[4-9].* | ubuntu:23.10) PYTHON=python3 ;;
        *) die "made for Debian 12 and 13 and Ubuntu 22.04 and newer, not ${ID:-this} $VERSION_ID." ;;
    esac
}

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# To its end: whoever is left without a reader fails, and with pipefail all of it does.
has_candidate() {
    apt-cache policy "$1" 2>/dev/null | grep '^  Candidate: [0-9]' >/dev/null
}

install_packages() {
    local wanted=("$PYTHON" "$PYTHON-venv" postgresql postgresql-client nginx openssl)
    local missing=() redis=() package
    for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    is_installed valkey-server || is_installed redis-server || redis=(redis)
    [ ${#missing[@]} -eq 0 ] && [ ${#redis[@]} -eq 0 ] && return
    say "Packages: asking the distribution"
    apt-get update -qq
    if [ ${#redis[@]} -gt 0 ]; then
        redis=(redis-server)
        has_candidate valkey-server && redis=(valkey-server)
        missing+=("${redis[@]}")
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
    changed "installed ${missing[*]}"
    tame_packages "${missing[@]}"
}

# What a package that we brought starts by itself, and nobody here asked for.
tame_packages() {
    local package
    for package; do
        case $package in
            redis-server | valkey-server)
                # The dashboard has its own, with a password and without a port.
                systemctl --quiet disable --now "$package.service" 2>/dev/null || true
                changed "disabled $package.service, which has no password" ;;
            nginx)
                remove /etc/nginx/sites-enabled/default ;;
        esac
    done
}

make_users() {
    local user home
    for user in "$SITE_USER" "$REDIS_USER"; do
        home=$STATE
        [ "$user" = "$SITE_USER" ] || home=$REDIS_STATE
        getent passwd "$user" >/dev/null && continue
        useradd --system --user-group --no-create-home --home-dir "$home" \
            --shell /usr/sbin/nologin "$user"
        changed "made the user $user"
    done
    # For its socket, and nothing else.
    id -nG "$SITE_USER" | grep -qw "$REDIS_USER" && return
    usermod --append --groups "$REDIS_USER" "$SITE_USER"
    changed "let $SITE_USER reach the socket of Redis"
}

make_folders() {
    folder "$APP" 0755 root:root
    folder "$APP/releases" 0755 root:root
    folder "$APP/venvs" 0755 root:root
    folder "$CONFIG" 0755 root:root
    folder "$CONFIG/tls" 0700 root:root
    folder "$STATE" 0750 "root:$SITE_USER"
    folder "$STATE/static" 0755 root:root
    folder "$STATE/journal" 0700 "$SITE_USER:$SITE_USER"
    folder "$REDIS_STATE" 0700 "$REDIS_USER:$REDIS_USER"
    folder "$BACKUPS" 0700 root:root
}

# Words are hexadecimal, and paths ours: nothing in the file needs quotes.
make_environment_file() {
    local port before=$CHANGES
    if [ ! -f "$ENV_FILE" ]; then
        put "$ENV_FILE" 0640 "root:$SITE_USER" <<'END'
# The site's settings, NAME=value without quotes; all of them are in .env.example of the
# code. After a change restart dashboard-web, -drain, -jobs and -beat.

# Accounts in a database of their own (MySQL, MariaDB or PostgreSQL): then run install.sh
# again, which makes its tables. Best before there are accounts; "Databases" in
# docs/operations.md says more.
#USERS_DATABASE_URL=mysql://dashboard:password@db.example.org/users

END
    fi
    allow "$ENV_FILE" 0640 "root:$SITE_USER"
    set_env ALLOWED_HOSTS "$HOSTS"
    keep_env SECRET_KEY "$(random_key)"
    keep_env JWT_KEY "$(random_key)"
    keep_env ANALYTICS_KEY "$(random_key)"
    port=$(pg_lsclusters -h | awk '{ print $3; exit }')
    keep_env DATABASE_URL "postgres://$SITE_USER@%2Fvar%2Frun%2Fpostgresql:${port:-5432}/$SITE_USER"
    keep_env REDIS_URL "unix://:$(random_key)@/run/dashboard-redis/redis.sock"
    keep_env DASHBOARD_VAR "$STATE"
    keep_env TRUST_X_FORWARDED_PROTO 1
    keep_env ANALYTICS_PROXIES 1
    [ "$before" = "$CHANGES" ] || RESTART=1
}

own_database() { env_value DATABASE_URL | grep -q '@%2Fvar%2Frun%2Fpostgresql'; }
own_redis() { env_value REDIS_URL | grep -q '@/run/dashboard-redis/'; }

as_postgres() { (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@"); }

database_port() { env_value DATABASE_URL | sed 's|.*postgresql:\([0-9]*\)/.*|\1|'; }

# By peer: whoever is the system's user dashboard is the database's, and no password.
make_database() {
    own_database || return 0
    local port
    port=$(database_port)
    sql() { as_postgres psql -X -q -A -t -p "$port" -c "$1"; }
    if [ -z "$(sql "SELECT 1 FROM pg_roles WHERE rolname = '$SITE_USER'")" ]; then
        sql "CREATE ROLE \"$SITE_USER\" LOGIN"
        changed "made the database role $SITE_USER, without a password"
    fi
    if [ -z "$(sql "SELECT 1 FROM pg_database WHERE datname = '$SITE_USER'")" ]; then
        sql "CREATE DATABASE \"$SITE_USER\" OWNER \"$SITE_USER\" ENCODING 'UTF8' TEMPLATE template0"
        sql "REVOKE ALL ON DATABASE \"$SITE_USER\" FROM PUBLIC"
        changed "made the database $SITE_USER"
    fi
}

configure_redis() {
    own_redis || return 0
    local password before=$CHANGES
    password=$(env_value REDIS_URL | sed 's|unix://:\([^@]*\)@.*|\1|')
    PASSWORD=$password awk '{ gsub(/@PASSWORD@/, ENVIRON["PASSWORD"]); print }' \
        "$SOURCE/deploy/redis.conf" | put "$CONFIG/redis.conf" 0640 "root:$REDIS_USER"
    [ "$before" = "$CHANGES" ] || RESTART=1
}

# Where no systemd runs, both servers are started for as long as we need them.
start_servers() {
    has_systemd && return
    local version cluster socket=/run/dashboard-redis/redis.sock
    if own_database; then
        read -r version cluster _ < <(pg_lsclusters -h)
        if ! pg_ctlcluster "$version" "$cluster" status >/dev/null 2>&1; then
            say "No systemd here: starting PostgreSQL directly, until we are done"
            pg_ctlcluster "$version" "$cluster" start
            STARTED_POSTGRES="$version $cluster"
        fi
    fi
    if own_redis && [ -f "$CONFIG/redis.conf" ] && [ ! -S "$socket" ]; then
        say "No systemd here: starting Redis directly, until we are done"
        install -d -m 0750 -o "$REDIS_USER" -g "$REDIS_USER" "${socket%/*}"
        setpriv --reuid "$REDIS_USER" --regid "$REDIS_USER" --init-groups \
            "$(redis_server)" "$CONFIG/redis.conf" --daemonize yes \
            --pidfile "${socket%/*}/redis.pid" >/dev/null
        until [ -S "$socket" ]; do sleep 0.1; done
        STARTED_REDIS=${socket%/*}/redis.pid
    fi
}

stop_servers() {
    if [ -n "${STARTED_REDIS:-}" ]; then
        local pid
        pid=$(cat "$STARTED_REDIS")
        kill "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
        rm -rf "${STARTED_REDIS%/*}"
        STARTED_REDIS=
    fi
    if [ -n "${STARTED_POSTGRES:-}" ]; then
        # shellcheck disable=SC2086 # two words: version and name
        pg_ctlcluster $STARTED_POSTGRES stop --mode fast
        STARTED_POSTGRES=
    fi
}

# The distribution's server, or the one in the environment if that is too old.
redis_server() {
    (cd "$RELEASE" && .venv/bin/python -B -c \
        'from dashboard import valkey; print(valkey.find_server())')
}
