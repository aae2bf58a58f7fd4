# What keeps the site running and in front of it: units, certificate, web server; to be
# sourced after common.sh.
# shellcheck shell=bash disable=SC2034

SERVICES=(dashboard-redis.service dashboard-web.socket dashboard-web.service
    dashboard-drain.service dashboard-jobs.service dashboard-beat.service)

# Those that have to run here: a Redis elsewhere is not ours to start.
running_services() {
    local name
    for name in "${SERVICES[@]}"; do
        [ "$name" != dashboard-redis.service ] || own_redis || continue
        printf '%s\n' "$name"
    done
}

install_units() {
    local before=$CHANGES server name file common=dashboard-.service.d/10-common.conf
    server=$(redis_server)
    folder "$UNITS/${common%/*}" 0755 root:root
    for name in dashboard.target "${SERVICES[@]}" "$common"; do
        file=$SOURCE/deploy/systemd/$name
        sed "s|@REDIS_SERVER@|$server|" "$file" | put "$UNITS/$name" 0644 root:root
    done
    [ "$before" = "$CHANGES" ] && return
    RESTART=1
    if has_systemd; then systemctl daemon-reload; fi
}

enable_units() {
    verify_units
    systemctl is-enabled --quiet dashboard.target 2>/dev/null || {
        systemctl --quiet enable dashboard.target
        changed "enabled dashboard.target"
    }
}

verify_units() {
    local paths=("${SERVICES[@]/#/$UNITS/}")
    systemd-analyze verify "$UNITS/dashboard.target" "${paths[@]}"
}

# Of the one that was made here: whether it is for all names, and a while yet.
certificate_will_do() {
    local name file=$CONFIG/tls/certificate.pem
    openssl x509 -noout -checkend 2592000 -in "$file" >/dev/null 2>&1 || return 1
    for name in ${HOSTS//,/ }; do
        openssl x509 -noout -checkhost "$name" -in "$file" |
            grep 'does match' >/dev/null || return 1
    done
}

# A certificate of one's own, or one made here, which browsers will warn of.
make_certificate() {
    local folder=$CONFIG/tls name=${HOSTS%%,*} before=$CHANGES
    if [ -n "$CERTIFICATE" ]; then
        openssl x509 -noout -in "$CERTIFICATE" || die "$CERTIFICATE is no certificate."
        openssl pkey -noout -in "$KEY" || die "$KEY is no key."
        link "$CERTIFICATE" "$folder/certificate.pem"
        link "$KEY" "$folder/key.pem"
    elif [ ! -L "$folder/certificate.pem" ] && ! certificate_will_do; then
        # A common name has 64 letters at most; what counts is the other one.
        (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
            -nodes -days 825 -subj "/CN=${name:0:64}" \
            -addext "subjectAltName=DNS:${HOSTS//,/,DNS:}" -keyout "$folder/key.pem" \
            -out "$folder/certificate.pem" 2>/dev/null) || die "openssl makes no" \
            "certificate for $HOSTS: are these host names? Say them with --host."
        changed "made a certificate for $HOSTS"
    fi
    [ "$before" = "$CHANGES" ] || NGINX_CHANGED=1
    if [ ! -L "$folder/certificate.pem" ]; then
        warn "the certificate was made on this machine, so browsers warn of it. Get one" \
            "from an authority and run: install.sh --certificate FILE --key FILE"
    fi
}

configure_nginx() {
    local http https v6='' before=$CHANGES http2=' http2'
    http='    listen 80;' https='    listen 443 ssl'
    if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' nginx)" ge 1.25.1; then
        http2='' v6=$'\n    http2 on;'
    fi
    https="$https$http2;$v6"
    if [ -s /proc/net/if_inet6 ]; then
        http+=$'\n    listen [::]:80;'
        https+=$'\n    listen [::]:443 ssl'"$http2;"
    fi
    HTTP=$http HTTPS=$https NAMES=${HOSTS//,/ } NAME=${HOSTS%%,*} awk '
        { gsub(/@LISTEN_HTTP@/, ENVIRON["HTTP"]); gsub(/@LISTEN_HTTPS@/, ENVIRON["HTTPS"])
          gsub(/@NAMES@/, ENVIRON["NAMES"]); gsub(/@NAME@/, ENVIRON["NAME"]); print }
        ' "$SOURCE/deploy/nginx.conf" | put "$NGINX_SITE" 0644 root:root
    link ../sites-available/dashboard /etc/nginx/sites-enabled/dashboard
    [ "$before" = "$CHANGES" ] || NGINX_CHANGED=1
    nginx -q -t
}

# Web, drain and the others; what neither changed nor stopped is left running.
start_services() {
    has_systemd || {
        say "No systemd here: the units are installed and verified, nothing was started"
        return 0
    }
    local name active=()
    for name in $(running_services); do
        systemctl is-active --quiet "$name" || active+=("$name")
    done
    if [ ${#active[@]} -gt 0 ]; then
        systemctl start "${active[@]}" dashboard.target
        changed "started ${active[*]}"
    fi
    if ! systemctl is-active --quiet nginx; then
        systemctl --quiet enable nginx
        systemctl start nginx
        changed "started nginx"
    elif [ -n "${NGINX_CHANGED:-}" ]; then
        systemctl reload nginx
    fi
}

# What runs and was changed under it: Redis first, then who writes to it, then who reads,
# then the clock.
restart_services() {
    has_systemd || return 0
    systemctl is-active --quiet dashboard-web.service || return 0
    local name
    for name in redis web drain jobs beat; do
        systemctl restart "dashboard-$name.service"
    done
    changed "restarted the services"
}

# What writes tables by itself stands still; the site goes on, and records to disk.
pause_counting() {
    has_systemd || return 0
    systemctl stop dashboard-beat dashboard-jobs dashboard-drain
}

wait_healthy() {
    has_systemd || return 0
    local tries=0 said
    until said=$(ask_health); do
        tries=$((tries + 1))
        [ "$tries" -lt 90 ] || die "the site does not become healthy: $said"
        sleep 1
    done
}

# Through the socket that nginx asks, as nginx does.
ask_health() {
    "$CURRENT/.venv/bin/python" -B "$CURRENT/deploy/healthz.py" \
        "$RUN/web.sock" "$(env_value ALLOWED_HOSTS | cut -d , -f 1)" 2>&1
}
