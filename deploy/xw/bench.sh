# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw bench`: the corridors of bench/README.md, each on an empty ledger with fakes that begin their
# books anew, and two yardsticks in the same run. Servers, state and ports are its own.
#
# The hard thing is that a figure counts only where the books are right, so after each corridor all
# payments must become final and every partner's book equal the ledger, or the corridor fails.

BENCH_CORRIDORS=(alipayplus-cpm alipayplus-cpm-quiet vipps-mpm wallet-cpm mix)
BENCH_SECONDS=900 # of all of it where nobody says
BENCH_PAYER_MS=200 # a Vipps user's hand; taken out of the latencies
BENCH_SETTLE=60   # until the last payment is final

# bench_run [--seconds N] [--only CORRIDOR] [--rate N] [--json], or one thing alone: --pieces, --growth [N], --idle [N], --doubt [N]
bench_run() {
	local seconds=$BENCH_SECONDS good=0 each tps speeds hop corridor room=0 alone='' count='' rate=() rows=() objects=()
	ROOM_ROWS=() ROOM_OBJECTS=()
	while (($#)); do
		case $1 in
		--seconds) seconds=$2; shift ;;
		--only) BENCH_CORRIDORS=("$2"); shift ;;
		--rate) rate=(--rate "$2"); shift ;;
		--pieces) bench_pieces ;;
		--growth | --idle | --doubt) alone=${1#--} && [[ ${2-} != [1-9]* ]] || { count=$2; shift; } ;;
		--json) JSON=yes ;;
		esac
		shift
	done
	trap check_stop EXIT
	check_stop
	rm -rf "$RUN/pg" "$RUN/redis"
	BUILD_ONLY=(switch/app/switchd switch/audit/switchaudit switch/sandbox/switchsandbox bench/switchbench tests/audit/fill)
	build_tree build --buildtype=release
	[[ $alone != growth ]] || grown_take "${count:-$GROWN_PAYMENTS}" || :
	bench_begin
	if [[ -n $alone ]]; then
		"bench_$alone" "$count" "${rate[@]:1}" || good=1
		[[ $alone == growth ]] || { room_table && room_json; }
		bench_end $good
	fi
	speeds=$(bench_program --speed --keys "$RUN/keys") || die 'no yardstick of signatures'
	tps=$(bench_pgbench $((seconds < 300 ? 5 : 20)))
	hop=$(hop_measure $((seconds < 300 ? 3 : 10)))
	((seconds < 600 || ${#BENCH_CORRIDORS[@]} == 1)) || room=$((seconds / 4)) # a short run has no rows about room
	each=$(((seconds - 55 - room) / ${#BENCH_CORRIDORS[@]} - 15)) # the rest: starting, comparing books
	((each >= 5)) || each=5
	for corridor in "${BENCH_CORRIDORS[@]}"; do
		step "bench: $corridor"
		bench_corridor "$corridor" --seconds "$each" "${rate[@]}" || good=1
		rows+=("$BENCH_ROW") objects+=("$BENCH_OBJECT")
	done
	if ((room > 0)); then
		bench_idle || good=1
		bench_doubt $((room * 80)) || good=1
	fi
	bench_table "$tps" "$speeds" "$hop"
	room_table
	((good == 0)) || say 'a corridor does not count: an error, or the books differ; see above'
	[[ -z $JSON ]] || bench_json "$tps" "$speeds" "$hop"
	bench_end $good
}

bench_end() {
	check_stop
	trap - EXIT
	exit "$1"
}

# What the pieces cost alone.
bench_pieces() {
	local piece pieces=(pieces_speed keys_speed commit_speed)
	BUILD_ONLY=("${pieces[@]/#/tests/support/}")
	build_tree build --buildtype=release
	for piece in "${pieces[@]}"; do
		step "bench: $piece"
		"$RUN/build/tests/support/$piece"
	done
	exit 0
}

# Servers, keys and configuration; a migrated database that others are copied from.
bench_begin() {
	DB=bench PORT_BASE=$((PORT_BASE + 50))
	servers_up
	server_migrate xw_tmpl
	mkdir -p "$RUN/bin" "$RUN/bench"
	BENCH_PAYER_MS=$BENCH_PAYER_MS bash "$SRC/deploy/demo/make.sh" "$RUN" "$PORT_BASE" "host=$SOCK port=5432 dbname=$DB user=switch_rw" \
		"$SOCK/redis.sock" "$SRC/bench/participants.sh" || die 'no configuration'
}

bench_program() { "$(build_program switchbench)" "$@"; }

# TPC-B as pgbench has it: 16 clients, prepared statements, scale 20, in a database of its own.
bench_pgbench() {
	local bin
	bin=$(server_pg_bin)
	step 'bench: pgbench'
	server_sql -d postgres -c 'set client_min_messages = warning' -c 'drop database if exists pgbench' -c 'create database pgbench'
	PGHOST=$SOCK PGUSER=postgres "$bin/pgbench" -q -i -s 20 pgbench >"$RUN/log/pgbench.log" 2>&1 &&
		PGHOST=$SOCK PGUSER=postgres "$bin/pgbench" -n -M prepared -c 16 -j 1 -T "$1" pgbench \
			>>"$RUN/log/pgbench.log" 2>&1 || die "pgbench failed; see $RUN/log/pgbench.log"
	server_sql -d postgres -c 'drop database pgbench' -c checkpoint
	sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$RUN/log/pgbench.log"
}

bench_stop() {
	daemon_stop switchd TERM
	daemon_stop sealer TERM
	daemon_stop switchsandbox TERM
}

# An empty ledger, or with BENCH_GROWN set the one that has grown; an empty cache, the switch, and fakes with
# empty books.
bench_fresh() {
	local from="create database $DB template xw_tmpl"
	bench_stop
	rm -rf "$RUN/sealer"
	redis-cli -s "$SOCK/redis.sock" flushall >/dev/null
	[[ -z ${BENCH_GROWN-} ]] || {
		from="alter database grown rename to $DB"
		mv "$RUN/sealer.grown" "$RUN/sealer"
	}
	server_sql -d postgres -c 'set client_min_messages = warning' -c "drop database if exists $DB" -c "$from" -c checkpoint
	up_programs
}

# bench_corridor NAME OPTION...: loads it and compares the books. Sets BENCH_ROW and BENCH_OBJECT; not
# zero where it does not count.
bench_corridor() {
	local name=$1 out status=0 empty faults compared bytes payments
	shift
	bench_fresh
	${BENCH_BESIDE:-:}
	read -r _ _ empty < <(bench_books) || die 'the empty books cannot be read'
	out=$(bench_program --corridor "$name" --port "$PORT_BASE" --operators $((PORT_BASE + 1)) \
		--control $((PORT_BASE + 2)) --keys "$RUN/keys" --book "$RUN/bench/till" \
		--payer-ms $BENCH_PAYER_MS --pids "$(daemon_pid switchd),$(daemon_pid sealer),$(daemon_pid pg),$(daemon_pid redis),$(daemon_pid switchsandbox)" \
		"$@") || status=$?
	((status <= 1)) || die "$name could not be run"
	bench_settle
	bench_sealed >"$RUN/log/verify.log" 2>&1 || { cat "$RUN/log/verify.log" >&2; die "$name: an auditor does not believe the ledger"; }
	read -r faults compared bytes < <(bench_books "$RUN/bench/till") || die 'the books cannot be read'
	BENCH_ROW=${out%%$'\n'*} BENCH_OBJECT=${out##*$'\n'}
	[[ $BENCH_OBJECT =~ \"payments\":([0-9]+) ]] && payments=${BASH_REMATCH[1]}
	((payments > 0)) || die "$name: no payment was made"
	BENCH_OBJECT=${BENCH_OBJECT%\}},$(printf '"stored_bytes":%d,"compared":%d,"books_ok":%s}' \
		$(((bytes - empty) / payments)) "$compared" "$( ((faults)) && echo false || echo true)")
	if ((faults)); then
		say "$name: the books are not right:"
		cat "$RUN/bench/faults" >&2
		BENCH_ROW+='  BOOKS DIFFER'
	fi
	say "      $compared entries compared, $payments payments, $(((bytes - empty) / payments)) bytes each"
	((status == 0 && faults == 0))
}

# Nothing is left to happen.
bench_settle() {
	local until=$((SECONDS + BENCH_SETTLE))
	until [[ $(server_sql -At -d "$DB" -c 'select count(*) from ledger.due') == 0 ]] || ((SECONDS > until)); do
		sleep 0.5
	done
	sleep 0.5 # the fakes hear of it a moment later
}

# The log comes to hold all of it, and an auditor finds nothing amiss.
bench_sealed() {
	audit_sealed
	up_verify
}

# bench_books [BOOK-OF-THE-TILL]: faults, entries compared, bytes.
bench_books() {
	local zero
	demo_books >"$RUN/bench/books" || return
	[[ -z ${1-} ]] || cat "$1" >>"$RUN/bench/books"
	zero=$(demo_zero) || return
	server_sql -d "$DB" -v books="$RUN/bench/books" -v since="$(date -u -d "@$(demo_since)" +%FT%TZ)" \
		-v faults="$RUN/bench/faults" -f "$SRC/bench/books.sql" >"$RUN/bench/sums" || return
	if [[ -n $zero ]]; then
		printf '%s\n' "$zero" >>"$RUN/bench/faults"
		awk '{ print $1 + 1, $2, $3 }' "$RUN/bench/sums"
	else
		cat "$RUN/bench/sums"
	fi
}

# bench_table TPS SPEEDS HOP
bench_table() {
	local line
	printf '\n%-21s %8s %9s %7s %6s %7s %7s %7s %8s %7s %8s\n' corridor offered achieved dropped errors \
		'p50 ms' 'p99 ms' 'p999 ms' 'switchd' 'pg' 'product'
	for line in "${rows[@]}"; do printf '%s\n' "$line"; done
	printf '\nlast three: processor microseconds per payment; switchd with clerk and sealer, product with Redis\n'
	printf 'yardsticks of this run: pgbench TPC-B %.0f/s; RSA-2048 %s signatures/s on one core\n' "$1" "${2%% *}"
	printf 'microseconds: RSA-2048 sign %s, verify %s; P-256 sign %s, verify %s\n' ${2#* }
	printf 'nginx as a reverse proxy, TLS on both sides: %s/s; microseconds: proxy %s, origin %s, client %s\n' $3
}

bench_json() {
	local books=true signs=($2) hop=($3)
	local IFS=,
	[[ ${objects[*]} != *'"books_ok":false'* ]] || books=false
	printf '{"yardsticks":{"pgbench_tps":%.1f,"rsa2048_sign_per_s":%s,' "$1" "${signs[0]}"
	printf '"sign_us":{"rsa2048":%s,"rsa2048_verify":%s,"p256":%s,"p256_verify":%s},' "${signs[@]:1}"
	printf '"nginx":{"per_s":%s,"proxy_us":%s,"origin_us":%s,"client_us":%s}},' "${hop[@]}"
	printf '"corridors":[%s],%s"books_ok":%s}\n' "${objects[*]}" "${ROOM_OBJECTS[*]:+${ROOM_OBJECTS[*]},}" "$books"
}

# A short run for `./xw test`: the books must be right, no figure is judged.
bench_row() {
	step 'test: benchmark'
	if (bench_begin && bench_corridor mix --rate 50 --seconds 5) >"$RUN/log/bench.log" 2>&1; then
		check_row 'benchmark (50/s, mix)' 1 0 0
	else
		tail -n 12 "$RUN/log/bench.log" >&2
		check_row 'benchmark (50/s, mix)' 0 1 0
	fi
	bench_stop
}
