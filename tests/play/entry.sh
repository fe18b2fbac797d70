#!/usr/bin/env bash
# The entry script against itself: a second run beside the one that calls this, in a folder with
# blanks and a long name, through pipes, killed and repaired. Prints TAP.
#
#   entry.sh SOURCES RUN     RUN is the state folder of `./xw test`; its build is used, not repeated
set -uo pipefail
SOURCES=$1 OUTER=$2
HERE=$OUTER/tmp/"entry $(printf 'a long name %.0s' {1..8})"
unset XW_PORT_BASE

# try NAME COMMAND...: one test.
try() {
	local name=$1
	shift
	if "$@" >"$OUTER/tmp/entry.out" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$OUTER/tmp/entry.out"
	fi
}

# A state folder as `./xw build` leaves it.
prepare() {
	mkdir -p "$1"
	printf %s "$SOURCES" >"$1/.crosswallet"
	ln -sfn "$OUTER/build" "$1/build"
}

xw() { XW_RUN=$HERE timeout 120 bash "$SOURCES/xw" "$@"; }
json() { tail -n 1 | python3 -c "import json, sys; o = json.load(sys.stdin); print($1)"; }
pids() { xw status --json 2>/dev/null | json '" ".join(map(str, o["pids"].values()))'; }
exits() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	((got == want)) || { echo "exit $got, not $want"; return 1; }
}

through_a_pipe() { xw up 2>&1 | cat; }
# The last line of `up`: every corridor ended as it should, and the partners' books are ours.
crosses() {
	xw up --json >"$OUTER/tmp/entry.up" || { cat "$OUTER/tmp/entry.up"; return 1; }
	[[ $(json 'o["books_equal"] and len(o["corridors"]) >= 12 and len(o["balances"]) > 0 and
		all(c["final"] and c["state"] == c["expected"] for c in o["corridors"]) and
		all(t == 0 for t in o["totals"].values()) and
		[(s["participant"], s["instructed"], s["confirmed"]) for s in o["settlements"][:1]] == [("till-eur", "olga, maria", "olga, maria")] and
		len({(c["issuer"], c["acquirer"]) for c in o["corridors"]}) >= 7' <"$OUTER/tmp/entry.up") == True ]]
}
again_is_harmless() {
	local before
	before=$(pids)
	xw up && [[ -n $before && $(pids) == "$before" ]]
}
status_members() {
	xw status --json 2>/dev/null | json '[o[k] for k in
		("programs", "listeners", "redis", "keys", "pids")] + [o["pg"][k] for k in
		("host", "db", "roles")]'
}
no_tcp() {
	local pid inode
	for pid in $(pids); do
		for inode in $(readlink "/proc/$pid"/fd/* | sed -n 's/^socket:\[\(.*\)\]/\1/p'); do
			# 0A: listening. Programs of ours may; Postgres and Redis may not.
			[[ $(readlink "/proc/$pid/exe") == "$HERE"/bin/* ]] ||
				! awk -v i="$inode" '$4 == "0A" && $10 == i { f = 1 } END { exit !f }' \
					< <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null) || return 1
		done
	done
}
no_inherited_descriptors() {
	local pid
	for pid in $(pids); do
		! readlink "/proc/$pid"/fd/{0,1,2} | grep -E '^pipe:|/dev/(pts|tty)' || return 1
	done
}
write_something() { xw psql -c 'create table kept (a int)' -c 'insert into kept values (7)'; }
kill_everything() {
	# shellcheck disable=SC2046
	kill -9 $(pids)
	exits 1 xw status
}
recovers() { crosses && [[ $(xw psql -At -c 'select a from kept') == 7 ]]; }
# While payments are under way: what is not final then must be, after an up that finds none of it in
# anybody's memory.
killed_in_flight() {
	local up until=$((SECONDS + 60)) left
	xw up >/dev/null 2>&1 &
	up=$!
	until [[ $(xw psql -At -c 'select count(*) > 2 from ledger.payment where not final' 2>/dev/null) == t ]]; do
		((SECONDS < until)) && kill -0 "$up" || { echo 'nothing was in flight'; return 1; }
	done
	# shellcheck disable=SC2046
	kill -9 $(pids)
	wait "$up"
	crosses || return 1
	# The fakes have forgotten their payments: each is asked about, and cancelled, until the settle time of
	# "not found" is over, twice 24 s for the scheme, behind the time in which its call might have been out.
	# An order that is open (state 2) waits for a payer, for ten minutes, whoever died.
	until=$((SECONDS + 240))
	until left=$(xw psql -At -c 'select payment, state, issuer from ledger.payment where not final and state <> 2') && [[ -z $left ]]; do
		((SECONDS < until)) || { echo "not final: $left"; return 1; }
		sleep 1
	done
}
second_copy() {
	prepare "$HERE 2"
	(HERE="$HERE 2" && xw up && xw status && xw clean && [[ ! -e $HERE ]]) && xw status
}
down_leaves_nothing() {
	local before sockets
	before=$(pids)
	sockets=$(xw status --json 2>/dev/null | json 'o["pg"]["host"]')
	[[ -d $sockets ]] && xw down || return 1
	for pid in $before; do [[ ! -e /proc/$pid/exe ]] || return 1; done
	[[ ! -e $sockets ]]
}
data_is_kept() { xw up && [[ $(xw psql -At -c 'select a from kept') == 7 ]]; }
# The scheme says that it took the money, and its book does not have it: up must see that.
# fake NAME JSON: what a person or a test may ask of a fake of the run that is up.
fake() {
	python3 -c 'import sys, urllib.request as u
print(u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})).read().decode())' \
		"http://$(xw status --json 2>/dev/null | json 'o["listeners"]["switchsandbox"]')/$1/control" "$2"
}
# Back to a moment: the checkpoint that no longer fits is named, and just the payment that was made after it; the
# ledger goes on, and its log under another name holds.
back_to_a_moment() {
	local dir=$OUTER/tmp/backup out=$OUTER/tmp/entry.restore at code ids until=$((SECONDS + 60))
	xw up && xw backup "$dir" || return 1
	until [[ $(xw psql -At -c 'select count(*) from ledger.due') == 0 ]] || ((SECONDS > until)); do sleep 0.5; done
	at=$(date -u +%FT%T.%NZ)
	sleep 1
	code=$(fake alipayplus '{"do":"mint-code","behaviour":"approve"}' | json 'o["code"]')
	fake till-eur '{"do":"pay","code":"'"$code"'","amount":"1700","currency":"EUR"}' || return 1
	until ids=$(xw psql -At -c "select ledger.id_text(payment) from ledger.payment where began_at > '$at' and final") && [[ -n $ids ]]; do
		((SECONDS < until)) || { echo 'no payment was made'; return 1; }
		sleep 0.5
	done
	sleep 12 # until a checkpoint over it has left the house
	exits 3 xw restore "$dir" --to 2099-01-01 && [[ $(xw psql -At -c "select count(*) from ledger.payment where began_at > '$at'") == 1 ]] || return 1
	xw restore "$dir" --to "$at" >"$out" 2>&1 || { cat "$out"; return 1; }
	cat "$out"
	[[ $(xw psql -At -c "select count(*) from ledger.step where at > '$at'") == 0 ]] &&
		grep -q 'holds a checkpoint of [0-9]* leaves; the ledger has [0-9]*' "$out" &&
		grep -q "$ids | alipayplus  *| EUR .* 1700 | *0" "$out" && grep -q "$ids | till-eur  *| EUR .* -1700 | *0" "$out" &&
		(($(grep -c ' | ' "$out") == 3)) || return 1
	xw down && crosses && xw status && grep -q "$at\|nothing was changed" "$OUTER/tmp/entry.up"
}
book_that_differs() {
	local code
	code=$(fake alipayplus '{"do":"mint-code","behaviour":"answer-without-effect"}' | json 'o["code"]')
	fake till-eur '{"do":"pay","code":"'"$code"'","amount":"700","currency":"EUR"}' || return 1
	exits 1 xw up --json >"$OUTER/tmp/entry.up"
	[[ $(json 'o["books_equal"]' <"$OUTER/tmp/entry.up") == False ]] &&
		grep -q 'alipayplus .* EUR *700 *0$' "$OUTER/tmp/entry.up"
}
clean_leaves_nothing() { xw clean && [[ ! -e $HERE ]]; }
# As root's half leaves it to the service user's, and as somebody is given a folder: all of its
# contents go without a word of what cannot be removed, and the folder stays for its maker.
clean_of_a_folder_made_by_others() {
	local HERE=$OUTER/tmp/theirs/run parent=$OUTER/tmp/theirs half said status
	for half in XW_TOP= "XW_TOP=$SOURCES"; do
		prepare "$HERE" && chmod 700 "$HERE" && chmod 500 "$parent"
		said=$(env "$half" XW_SECONDS=0 XW_RUN="$HERE" bash "$SOURCES/xw" clean 2>&1)
		status=$?
		chmod 700 "$parent"
		echo "$said"
		((status == 0)) && [[ $said != *'cannot remove'* ]] && rmdir "$HERE" || return 1
	done
}
foreign_folder() {
	mkdir -p "$OUTER/tmp/foreign" && echo precious >"$OUTER/tmp/foreign/file" || return 1
	HERE=$OUTER/tmp/foreign exits 3 xw up && HERE=$OUTER/tmp/foreign exits 3 xw clean &&
		[[ -s $OUTER/tmp/foreign/file ]]
}

# The migration runner, on a database of its own in the outer run's Postgres.
migrations() (
	SRC=$OUTER/tmp/migrations RUN=$OUTER SOCK=$PGHOST SECONDS=0
	. "$SOURCES/deploy/xw/say.sh"
	. "$SOURCES/deploy/xw/servers.sh"
	mkdir -p "$SRC/schema"
	cp "$SOURCES/schema/migrate" "$SRC/schema/"
	file() { echo "$2" >"$SRC/schema/$1"; }
	sql() { server_sql -At -d entry_test -c "$1"; }
	migrate() (set -e && server_migrate entry_test)

	file 0001_one.sql 'create table one (a int);'
	file 0003_three.sql 'create table three (a int);'
	exits 0 migrate && exits 0 migrate &&
		[[ $(sql 'select count(*) from schema_migration') == 2 ]] || return 1

	file 0004_four.sql 'create table four (a int); select 1/0;'
	exits 3 migrate && [[ $(sql "select to_regclass('four') is null") == t ]] || return 1
	rm "$SRC/schema/0004_four.sql"

	file 0002_two.sql 'create table two (a int);'
	exits 3 migrate || return 1 # it would come too late
	rm "$SRC/schema/0002_two.sql"

	file 0001_one.sql 'create table one (a bigint);'
	exits 3 migrate || return 1 # not what has run
	rm "$SRC/schema/0001_one.sql"
	exits 3 migrate # not known any more
)

prepare "$HERE"
try 'no verb is a usage error' exits 2 xw
try 'an unknown verb is a usage error' exits 2 xw fly
try 'a bad port base is a usage error' env XW_PORT_BASE=80 bash -c \
	'XW_RUN=$1 bash "$2/xw" status; [[ $? == 2 ]]' try "$HERE" "$SOURCES"
try 'status before up says so' exits 1 xw status
try 'a folder that is not ours is let alone' foreign_folder
try 'up through a pipe ends' through_a_pipe
try 'up crosses every corridor, and the books are equal' crosses
try 'status is 0 when all is up' xw status
try 'status --json has its members' status_members
try 'up again changes nothing' again_is_harmless
try 'postgres and redis listen on no TCP port' no_tcp
try 'daemons hold no pipe and no terminal' no_inherited_descriptors
try 'a row can be written' write_something
try 'after kill -9 of everything status is 1' kill_everything
try 'up repairs it, crosses again, and the row is there' recovers
try 'killed with payments in flight: all become final' killed_in_flight
try 'a second copy runs beside the first' second_copy
try 'down leaves no process and no socket' down_leaves_nothing
try 'up after down has the data' data_is_kept
try 'back to a moment: what lies after it is named' back_to_a_moment
try "a partner's book that differs is told" book_that_differs
try 'clean leaves nothing' clean_leaves_nothing
try 'clean empties a folder that it cannot remove' clean_of_a_folder_made_by_others
try 'migrations: once, in order, whole, unchanged' migrations
xw clean >/dev/null 2>&1
exit 0
