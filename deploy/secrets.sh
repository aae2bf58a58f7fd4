#!/bin/bash
# `deploy/secrets.sh NAME[,NAME…]`: the settings of compose.yaml, made once: keys and
# passwords at random, and the host names that the site answers to. What is there stays.
set -euo pipefail
umask 077
[ $# = 1 ] || { echo "say: secrets.sh www.example.org" >&2; exit 1; }
folder=$(dirname "$(readlink -f "$0")")/secrets
mkdir -p "$folder"
[ ! -e "$folder/site.env" ] || { echo "$folder has them already." >&2; exit; }

key() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
postgres=$(key) valkey=$(key) mariadb=$(key)

printf '%s\n' POSTGRES_USER=dashboard POSTGRES_DB=dashboard \
    "POSTGRES_PASSWORD=$postgres" >"$folder/postgres.env"
printf '%s\n' "VALKEY_PASSWORD=$valkey" >"$folder/valkey.env"
# A root password that the image makes up is printed into its log.
printf '%s\n' MARIADB_DATABASE=users MARIADB_USER=dashboard \
    "MARIADB_PASSWORD=$mariadb" MARIADB_ROOT_HOST=localhost \
    "MARIADB_ROOT_PASSWORD=$(key)" >"$folder/mariadb.env"
# Last: it says that all are there.
printf '%s\n' "ALLOWED_HOSTS=$1" "SECRET_KEY=$(key)" "JWT_KEY=$(key)" \
    "ANALYTICS_KEY=$(key)" TRUST_X_FORWARDED_PROTO=1 ANALYTICS_PROXIES=1 \
    "DATABASE_URL=postgres://dashboard:$postgres@postgres/dashboard" \
    "REDIS_URL=redis://:$valkey@valkey:6379/0" \
    "# Accounts in MariaDB, with the profile users; best before there are accounts:" \
    "#USERS_DATABASE_URL=mysql://dashboard:$mariadb@mariadb/users" >"$folder/site.env"
echo "made $folder"
