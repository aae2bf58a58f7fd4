#!/bin/bash
# Puts the dashboard on a bare Debian or Ubuntu, and keeps it there. What is right already
# is left alone: run twice, it changes nothing. `install.sh --help` says more.
set -euo pipefail
umask 022

SOURCE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
for part in common machine release services check; do
    # shellcheck source=/dev/null
    . "$SOURCE/deploy/$part.sh"
done

usage() {
    cat <<'END'
install.sh [--host NAME] [--certificate FILE --key FILE]
    Install, or put right what is not: Python environment, PostgreSQL, Redis or Valkey,
    nginx, systemd services. Prints a link for the first administrator.
    --host NAME      by which names the site is asked for, with commas
                     (default: what `hostname --fqdn` says)
    --certificate    for TLS, with its chain; without it one is made, of which browsers
    --key            warn. Both stay where they are, so renewals are seen.
install.sh --check          is everything well? 1 if not; changes nothing
install.sh --upgrade        from a newer checkout: backup, code, migrations, restart
install.sh --uninstall      takes the site away; data, settings and packages stay
install.sh --uninstall --purge
                            also database, settings and state; backups and packages stay
END
}

MODE=install PURGE='' HOSTS='' CERTIFICATE='' KEY='' RESTART=''
while [ $# -gt 0 ]; do
    case $1 in
        --check | --upgrade | --uninstall) MODE=${1#--} ;;
        --purge) PURGE=1 ;;
        --host | --certificate | --key)
            [ $# -ge 2 ] || die "$1 needs a value."
            case $1 in
                --host) HOSTS=$2 ;;
                --certificate) CERTIFICATE=$(readlink -e "$2") || die "there is no $2." ;;
                --key) KEY=$(readlink -e "$2") || die "there is no $2." ;;
            esac
            shift ;;
        -h | --help) usage; exit ;;
        *) usage >&2; die "what is $1?" ;;
    esac
    shift
done
[ -z "$PURGE" ] || [ "$MODE" = uninstall ] || die "--purge belongs to --uninstall."
[ "${CERTIFICATE:+1}" = "${KEY:+1}" ] || die "--certificate and --key belong together."
[ "$(id -u)" = 0 ] || die "needs root."
cd /
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

choose_hosts() {
    [ -n "$HOSTS" ] || HOSTS=$(env_value ALLOWED_HOSTS)
    [ -n "$HOSTS" ] || HOSTS=$(hostname --fqdn 2>/dev/null || cat /etc/hostname)
    [[ $HOSTS =~ ^[A-Za-z0-9.,-]+$ ]] || die "these are no host names: $HOSTS"
}

prepare() {
    find_system
    choose_hosts
    install_packages
    make_users
    make_folders
}

refuse_other_code() {
    [ ! -L "$CURRENT" ] || [ "$APP/releases/$(release_name)" = "$(readlink -f "$CURRENT")" ] ||
        die "other code is installed: to put this in its place run install.sh --upgrade"
}

# All steps up to a database, and files, that the new code can use.
build() {
    make_environment
    make_release
    make_environment_file
    configure_redis
    start_servers
    if has_systemd && own_redis; then install_units; start_redis; fi
    make_database
}

start_redis() {
    systemctl is-active --quiet dashboard-redis && return
    systemctl start dashboard-redis
    changed "started dashboard-redis.service"
}

finish() {
    migrate_databases
    collect_static
    check_production
    activate
    link "$CURRENT/deploy/dashboard" /usr/local/sbin/dashboard
    install_units
    enable_units
    make_certificate
    configure_nginx
}

invite() { site_as "$SITE_USER" "$RELEASE" access_first_link --if-none; }

install_site() {
    prepare
    refuse_other_code
    build
    finish
    [ -z "$RESTART" ] || restart_services
    start_services
    [ "$CHANGES" = 0 ] || wait_healthy
    invite
    report
}

upgrade_site() {
    [ -L "$CURRENT" ] || die "nothing is installed here: run install.sh"
    local before
    before=$(readlink -f "$CURRENT")
    prepare
    start_servers_of "$before"
    "$SOURCE/deploy/backup.sh" backup
    build
    [ "$before" != "$RELEASE" ] || say "This code is installed already."
    # Whatever goes wrong from here on, what counts is started again.
    trap 'start_services; stop_servers' EXIT
    pause_counting
    finish
    restart_services
    start_services
    wait_healthy
    remove_old_releases
    report
}

start_servers_of() { RELEASE=$1; start_servers; }

uninstall_site() {
    if has_systemd; then
        # Each by itself: of what only belongs to the target nobody waits for the end.
        systemctl stop dashboard.target dashboard-web.socket 'dashboard-*.service' \
            2>/dev/null || true
    fi
    systemctl --quiet disable dashboard.target 2>/dev/null || true
    remove "$UNITS/dashboard.target" "$UNITS"/dashboard-*.service \
        "$UNITS"/dashboard-*.socket "$UNITS/dashboard-.service.d"
    if has_systemd; then systemctl daemon-reload; fi
    remove /etc/nginx/sites-enabled/dashboard "$NGINX_SITE"
    if has_systemd && systemctl is-active --quiet nginx; then systemctl reload nginx; fi
    [ -z "$PURGE" ] || drop_database
    remove /usr/local/sbin/dashboard "$APP" "$RUN"
    [ -z "$PURGE" ] || [ -z "$(env_value USERS_DATABASE_URL)" ] ||
        say "Accounts stay: drop the database of USERS_DATABASE_URL where it is."
    if [ -n "$PURGE" ]; then purge_rest; fi
    say "Packages of the distribution stay${PURGE:+, and backups in $BACKUPS}."
    [ -n "$PURGE" ] || say "Data and settings stay: $CONFIG, $STATE, the database $SITE_USER, $BACKUPS."
    report
}

drop_database() {
    own_database || return 0
    RELEASE=$(readlink -f "$CURRENT" || true)
    [ ! -e "${RELEASE:-/nowhere}" ] || start_servers
    # Where it was made: another cluster may have one of this name, which is not ours.
    as_postgres psql -X -q -p "$(database_port)" -c "DROP DATABASE IF EXISTS \"$SITE_USER\"" \
        -c "DROP ROLE IF EXISTS \"$SITE_USER\""
    changed "dropped the database $SITE_USER and its role"
}

purge_rest() {
    local user
    remove "$CONFIG" "$STATE" "$REDIS_STATE"
    for user in "$SITE_USER" "$REDIS_USER"; do
        getent passwd "$user" >/dev/null || continue
        userdel "$user"
        changed "removed the user $user"
    done
}

report() {
    if [ "$CHANGES" = 0 ]; then say "no change"; else say "$CHANGES changes"; fi
}

trap stop_servers EXIT
case $MODE in
    install) install_site ;;
    check) check_all ;;
    upgrade) upgrade_site ;;
    uninstall) uninstall_site ;;
esac
