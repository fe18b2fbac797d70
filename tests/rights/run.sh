#!/usr/bin/env bash
# The database's own rules, asked by pgTAP of a database that `schema/migrate` has just made, as every role.
# Prints TAP.
#
#   run.sh SOURCES [RUN]     the server is where PGHOST says; the database xw_rights is made and removed
#
# Each file is one transaction that is rolled back. pgTAP is the tests' alone: it is never in a ledger.
set -uo pipefail
cd "$1/tests/rights" || exit
export PGUSER=postgres PGOPTIONS='-c client_min_messages=warning'
sql() { psql -Xq -At -v ON_ERROR_STOP=1 "$@"; }

if [[ $(sql -d postgres -c "select 1 from pg_available_extensions where name = 'pgtap'") != 1 ]]; then
	echo 'ok - rights # SKIP pgTAP is not installed'
	exit 0
fi
sql -d postgres -c 'drop database if exists xw_rights' -c 'create database xw_rights' &&
	"$1/schema/migrate" "host=$PGHOST user=postgres dbname=xw_rights" >/dev/null || exit
for file in statements guards; do
	sql -d xw_rights -f "$file.sql" || echo "not ok - $file.sql ended badly"
done
sql -d postgres -c 'drop database xw_rights'
