# Names, messages and small helpers of install.sh and its companions; to be sourced.
# Reads the environment file; writes nothing until a helper is called.
# shellcheck shell=bash disable=SC2034

APP=/opt/dashboard
CURRENT=$APP/current
CONFIG=/etc/dashboard
ENV_FILE=$CONFIG/env
STATE=/var/lib/dashboard
REDIS_STATE=/var/lib/dashboard-redis
BACKUPS=/var/backups/dashboard
RUN=/run/dashboard
SITE_USER=dashboard
REDIS_USER=dashboard-redis
NGINX_SITE=/etc/nginx/sites-available/dashboard
UNITS=/etc/systemd/system
CHANGES=0
# What is counted at the end of a pipe counts.
shopt -s lastpipe

say() { printf '%s\n' "$*"; }
warn() { printf 'Note: %s\n' "$*" >&2; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# One line for each thing that is now otherwise than before.
changed() {
    CHANGES=$((CHANGES + 1))
    printf '  + %s\n' "$*"
}

has_systemd() { [ -d /run/systemd/system ]; }

random_key() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# put FILE MODE OWNER [VERB] < content: the file as it has to be, written only if it differs.
put() {
    local file=$1 mode=$2 owner=$3 new
    new=$(mktemp)
    cat >"$new"
    if cmp -s "$new" "$file"; then
        rm -f "$new"
        allow "$file" "$mode" "$owner"
        return
    fi
    # Beside it, so that it comes whole or not at all, and is nobody's until it is ready.
    install -m 0600 "$new" "$file.new"
    rm -f "$new"
    chown "$owner" "$file.new"
    chmod "$mode" "$file.new"
    mv -f "$file.new" "$file"
    changed "${4:-wrote} $file"
}

# folder PATH MODE OWNER
folder() {
    if [ ! -d "$1" ]; then
        install -d -m "$2" -o "${3%:*}" -g "${3#*:}" "$1"
        changed "made $1"
    fi
    allow "$@"
}

# allow PATH MODE OWNER: who may do what with something that is there.
allow() {
    [ "$(stat -c '%04a %U:%G' "$1")" = "$2 $3" ] && return
    chown "$3" "$1"
    chmod "$2" "$1"
    changed "set $1 to $2 $3"
}

# link TARGET NAME
link() {
    [ "$(readlink "$2" 2>/dev/null)" = "$1" ] && return
    ln -sfn "$1" "$2.new"
    mv -Tf "$2.new" "$2"
    changed "linked $2 to $1"
}

# remove PATH…: says so for each that was there.
remove() {
    local path
    for path; do
        [ -e "$path" ] || [ -L "$path" ] || continue
        rm -rf -- "$path"
        changed "removed $path"
    done
}

# The value of a variable of the environment file; nothing if it is not set.
env_value() {
    [ -f "$ENV_FILE" ] || return 0
    sed -n "s/^$1=//p" "$ENV_FILE" | tail -n 1
}

# The databases that the settings name: accounts may have one of their own.
databases() {
    echo default
    [ -z "$(env_value USERS_DATABASE_URL)" ] || echo users
}

# set_env NAME VALUE: one line for it, in the place where it was.
set_env() {
    [ "$(env_value "$1")" = "$2" ] && return
    { NAME=$1 VALUE=$2 awk '
        BEGIN { name = ENVIRON["NAME"] "=" }
        index($0, name) == 1 { if (!done++) print name ENVIRON["VALUE"]; next }
        { print }
        END { if (!done) print name ENVIRON["VALUE"] }' "$ENV_FILE"
    } | put "$ENV_FILE" 0640 "root:$SITE_USER" "set $1 in"
}

# The same without telling what is there from what is not: made once, never again.
keep_env() { [ -n "$(env_value "$1")" ] || set_env "$1" "$2"; }

# What the environment file says, one VARIABLE=value a line, as systemd reads it.
load_env() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            '' | '#'* | ';'*) ;;
            *=*) export "${line?}" ;;
        esac
    done <"$ENV_FILE"
}

# site_as USER CODE WORDS…: a command of manage.py of that code, with the site's
# environment and nothing else of ours.
site_as() (
    local user=$1 code=$2
    shift 2
    cd "$code" || exit
    for name in $(compgen -e); do unset "$name"; done
    load_env
    [ -z "${PATIENCE:-}" ] || export USERS_DATABASE_TIMEOUT=$PATIENCE
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
    umask 022
    exec setpriv --reuid "$user" --regid "$user" --init-groups \
        "$code/.venv/bin/python" manage.py "$@"
)
