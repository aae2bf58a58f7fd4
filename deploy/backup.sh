#!/bin/bash
# `backup.sh backup [FOLDER]` and `backup.sh restore FILE`: database, journals and
# settings of the installed site in one file, and back.
#
# The journals are copied before the database is: what is not in that copy any more is
# counted already, so it is in the database's. Redis is left out: all that waits there is
# in the journals, too. Accounts in a database of their own are not in it: that is said.
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
# shellcheck source=deploy/common.sh
. "$HERE/common.sh"
umask 077
# Another site than the installed one says where its things are, and runs by itself.
OTHER=${DASHBOARD_ENV_FILE:-}
ENV_FILE=${DASHBOARD_ENV_FILE:-$ENV_FILE}
BACKUPS=${DASHBOARD_BACKUPS:-$BACKUPS}

stop() { printf 'backup.sh: %s\n' "$*" >&2; exit 1; }

# As the site's user, whom the database knows by the socket; by whoever asks elsewhere.
as_site() {
    if [ -z "$OTHER" ]; then
        setpriv --reuid "$SITE_USER" --regid "$SITE_USER" --init-groups "$@"
    else
        "$@"
    fi
}

runs_here() { [ -z "$OTHER" ] && has_systemd; }

find_parts() {
    [ -r "$ENV_FILE" ] || stop "cannot read $ENV_FILE."
    URL=$(env_value DATABASE_URL)
    JOURNAL=$(env_value ANALYTICS_JOURNAL_DIR)
    JOURNAL=${JOURNAL:-$(env_value DASHBOARD_VAR)/journal}
    case $URL in
        postgres://* | postgresql://*) ;;
        *) stop "DATABASE_URL in $ENV_FILE does not name PostgreSQL." ;;
    esac
    # Arguments can be read by others on this machine, the environment cannot.
    if [[ $URL =~ ^([a-z]+://[^:/@]*):([^@]*)@(.*)$ ]]; then
        URL=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
        printf -v PGPASSWORD '%b' "${BASH_REMATCH[2]//%/\\x}"
        export PGPASSWORD
    fi
    command -v pg_dump >/dev/null || stop "pg_dump is missing: install postgresql-client."
}

copy_journals() {
    local status=0
    mkdir "$1/journal"
    [ -d "$JOURNAL" ] || return 0
    # 1: files that grew or went while they were read, as journals do.
    tar -C "$JOURNAL" -cf - . 2>/dev/null | tar -C "$1/journal" -xf - --no-same-owner ||
        status=$?
    [ "$status" -le 1 ] || stop "the journals cannot be copied."
}

backup() {
    local work file
    find_parts
    mkdir -p "$BACKUPS"
    file=$BACKUPS/dashboard-$(date -u +%Y%m%dT%H%M%SZ).tar
    work=$(mktemp -d "$BACKUPS/.work.XXXXXX")
    # shellcheck disable=SC2064 # now, while it has a value
    trap "rm -rf '$work'" EXIT
    copy_journals "$work"
    (cd / && as_site pg_dump --format=custom --no-owner --no-acl "$URL") >"$work/database.dump"
    cp "$ENV_FILE" "$work/env"
    tar -C "$work" -cf "$work/archive" env database.dump journal
    mv "$work/archive" "$file"
    warn_of_accounts
    say "backup: $file"
}

# The password is not shown: the commands ask for it.
warn_of_accounts() {
    local url how
    url=$(env_value USERS_DATABASE_URL | sed -E 's|^([a-z0-9]+://[^:/@]*):[^@]*@|\1@|; s|\?.*||')
    case $url in
        '') return ;;
        postgres*) how="pg_dump --format=custom $url >users.dump" ;;
        mysql*)
            how="mysqldump --single-transaction --hex-blob -u USER -p -h HOST"
            how+=" ${url##*/} >users.sql" ;;
        *) how="a copy of the file, while the site stands still" ;;
    esac
    warn "accounts are in a database of their own, $url, which backup.sh neither" \
        "saves nor restores. It is saved by itself: $how"
}

# What is in the database goes, in the transaction that brings back what was.
statements() {
    cat <<'SQL'
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname = 'public' LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE';
    END LOOP;
END $$;
SQL
    pg_restore --no-owner --no-acl --file=- "$1"
}

# Segments of the backup join those that are here: one that is in both has grown since,
# so the one that is here is the longer.
merge_journals() {
    mkdir -p "$JOURNAL"
    (cd "$1" && find . -mindepth 1 -maxdepth 1 -print0) |
        tar -C "$1" --null -T - -cf - |
        tar -C "$JOURNAL" -xf - --skip-old-files
    if [ "$(id -u)" = 0 ]; then
        chown -R --reference="$JOURNAL" "$JOURNAL"
    fi
}

# What the tables expect is said there, too, and is too much now: journals would be
# deleted for it. What producers said that they recorded stays: by it the ledger knows
# what is not counted any more.
forget_expected() {
    local python=$CURRENT/.venv/bin/python
    URL=$(env_value REDIS_URL) "${DASHBOARD_PYTHON:-$python}" -B -c 'import os, redis
client = redis.from_url(os.environ["URL"])
for key in client.scan_iter("analytics:*:expected"):
    client.delete(key)'
}

# The tables of an older version become those of the code that is here. Accounts that are
# elsewhere were not touched.
migrate() {
    local words=(migrate --database=default --no-input --verbosity 0)
    if [ -z "$OTHER" ]; then
        PATIENCE=600 site_as "$SITE_USER" "$(readlink -f "$CURRENT")" "${words[@]}"
    else
        (load_env && cd "$HERE/.." && "${DASHBOARD_PYTHON:-python3}" -B manage.py "${words[@]}")
    fi
}

start_again() {
    if runs_here; then systemctl start dashboard.target; fi
}

restore() {
    local work file
    file=$(readlink -e "$1") || stop "there is no $1."
    find_parts
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # now, while it has a value
    trap "rm -rf '$work'; start_again" EXIT
    tar -C "$work" -xf "$file" --no-same-owner
    if runs_here; then
        # Each by itself: of what only belongs to the target nobody waits for the end.
        systemctl stop dashboard.target dashboard-web.socket 'dashboard-*.service'
        systemctl start dashboard-redis.service
    fi
    # Whole before the first of it runs: a dump that breaks off must not be half of one.
    statements "$work/database.dump" >"$work/database.sql"
    (cd / && PGOPTIONS=--client-min-messages=warning as_site psql -X -q \
        -v ON_ERROR_STOP=1 --single-transaction "$URL") <"$work/database.sql" >/dev/null
    merge_journals "$work/journal"
    forget_expected
    migrate || stop "the tables are those of the backup, and this code cannot bring them" \
        "up to date: install the version that made it, restore again, and upgrade."
    say "restored: $file"
    warn_of_accounts
    cmp -s "$work/env" "$ENV_FILE" ||
        warn "the settings differ from those of the backup; they were left as they are." \
            "Take SECRET_KEY, JWT_KEY and ANALYTICS_KEY of its file env, if they are lost."
}

case ${1:-}:$# in
    backup:1) backup ;;
    backup:2) BACKUPS=$2 backup ;;
    restore:2) restore "$2" ;;
    *) stop "say: backup [FOLDER], or: restore FILE" ;;
esac
