# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw faults`: one fault after another on real processes while payments cross; tests/faults/README.md
# says what a row is and when it passes. Servers, state and ports are its own.
#
# The hard thing is to heal whatever was broken, also when this script is interrupted: everything that
# a row stops is written down first, and goes on at the end in any case.

FAULT_RATES=(200 100 50 25) # payments a second: the highest that this machine carries unbroken
FAULT_BEFORE=2 FAULT_AFTER=6 # seconds of payments before it breaks and after it was healed
FAULT_MINUTE=60 # seconds after which what is in doubt is on the exception list
FAULT_SETTLE=120 # and after which nothing is
FAULT_STOPPED=()
# What a process may hold beyond its start when all is over: kept-alive connections to two wallets and theirs to it, 32
# each, which may all have come to one worker. IDLE: seconds after which none of them is left.
FAULT_POOLED=128 FAULT_IDLE=40
# KiB of memory that it may have beyond what it had under load, before anything was broken: pools that were never so full
# before keep their pages. STILL: where nothing was broken, and they were as full.
FAULT_FULLER=32768 FAULT_STILL=2048

# faults_run [--only NAME[,NAME]...] [--json]
faults_run() {
	local only='' row names=() results=() skipped=() failed=0
	while (($#)); do
		case $1 in
		--only) only=$2; shift ;;
		--json) JSON=yes ;;
		esac
		shift
	done
	for row in "${FAULT_ROWS[@]}"; do
		[[ $only && ",$only," != *",${row%% *},"* ]] || names+=("${row%% *}")
	done
	[[ ${names[*]} ]] || { say "no fault is called $only"; exit 2; }
	trap faults_stop EXIT
	faults_stop
	rm -rf "$RUN/pg" "$RUN/redis"
	BUILD_ONLY=(switch/app/switchd switch/sandbox/switchsandbox bench/switchbench tests/support/proxy
		tests/support/libclockshift.so)
	build_tree build --buildtype=release
	faults_begin
	faults_rate
	faults_head
	faults_rows "${names[@]}" || failed=$?
	faults_stop
	trap - EXIT
	[[ -z $JSON ]] || { local IFS=,; printf '{"rows":[%s],"skipped":[%s],"failed":%d,"rate":%d}\n' "${results[*]}" "${skipped[*]}" "$failed" "$FAULT_RATE"; }
	((failed == 0)) || exit 1
	exit 0
}

# faults_rows NAME...: fills `results` and `skipped`; its status is how many failed.
faults_rows() {
	local name failed=0
	for name; do
		step "faults: $name"
		FAULT_WHY=
		faults_row "$name" || {
			[[ $FAULT_WHY ]] || { ((++failed)); continue; }
			say "$name: skipped: $FAULT_WHY"
			skipped+=("$(printf '{"name":%s,"reason":%s}' "$(json_str "$name")" "$(json_str "$FAULT_WHY")")")
		}
	done
	return $failed
}

faults_stop() {
	fault_go_on
	check_stop
}

# A command, and what it starts, whose clock is that of the file.
faults_moved() { LD_PRELOAD=$RUN/bin/libclockshift.so XW_CLOCK=$RUN/faults/clock "$@"; }

# Servers, keys and configuration; the proxy between them; a migrated database that others are copied from.
faults_begin() {
	DB=faults PORT_BASE=$((PORT_BASE + 50))
	mkdir -p "$RUN/bin" "$RUN/faults" "$RUN/log"
	install -m 700 "$(build_program proxy)" "$(build_program libclockshift.so)" "$RUN/bin/"
	fault_clock 0
	server_sockets
	faults_moved server_pg
	server_redis
	server_migrate xw_tmpl
	rm -rf "$RUN/keys" "$RUN/conf" # another verb's, where it ran here: it has other keys
	# Certificates hold when the clock is set back, too.
	fault_clock -7200
	FAULT_PORT=$((PORT_BASE + 40)) faults_moved bash "$SRC/deploy/demo/make.sh" "$RUN" "$PORT_BASE" \
		"host=$SOCK/proxy port=5432 dbname=$DB user=switch_rw" "$SOCK/proxy/redis" "$SRC/tests/faults/participants.sh" ||
		die 'no configuration'
	fault_clock 0
	faults_proxy
}

faults_proxy() {
	mkdir -p "$SOCK/proxy"
	[[ -p $RUN/faults/orders ]] || mkfifo "$RUN/faults/orders"
	daemon_start proxy proxy "$RUN/bin/proxy" "$RUN/faults/orders" pg "$SOCK/proxy/.s.PGSQL.5432" "$SOCK/.s.PGSQL.5432" \
		redis "$SOCK/proxy/redis" "$SOCK/redis.sock" bluecode $((PORT_BASE + 40)) $((PORT_BASE + 13)) \
		alipayplus $((PORT_BASE + 41)) $((PORT_BASE + 10))
	daemon_wait proxy 10 test -S "$SOCK/proxy/redis" || die 'no proxy'
}

# An empty ledger and cache, all programs started anew, true time.
faults_fresh() {
	bench_stop
	rm -rf "$RUN/sealer"
	fault_clock 0
	redis-cli -s "$SOCK/redis.sock" flushall >/dev/null
	server_sql -d postgres -c 'set client_min_messages = warning' -c "drop database if exists $DB with (force)" \
		-c "create database $DB template xw_tmpl $FAULT_TABLESPACE"
	faults_moved up_programs
	FAULT_HELD=$(faults_held)
}

# Open descriptors of switchd's processes: the most of each role.
faults_held() {
	local pid
	for pid in $(daemon_pid switchd) $(cat /proc/"$(daemon_pid switchd)"/task/*/children); do
		echo "$(</proc/$pid/comm) $(ls /proc/$pid/fd | wc -l)"
	done | sort -k1,1 -k2,2nr | sort -u -k1,1
}

# Their own memory, in KiB: the most of each role. What is only mapped from files or shared is not theirs.
faults_memory() {
	local pid
	for pid in $(daemon_pid switchd) $(cat /proc/"$(daemon_pid switchd)"/task/*/children); do
		echo "$(</proc/$pid/comm) $(awk '$1 == "RssAnon:" { print $2 }' /proc/$pid/status)"
	done | sort -k1,1 -k2,2nr | sort -u -k1,1
}

# faults_grown BEYOND: no role has more than that beyond what it had when it was warm. FAULT_KEEPS: who has.
faults_grown() {
	FAULT_KEEPS=$(join <(echo "$FAULT_WARM") <(faults_memory) | awk -v beyond="$1" '$3 > $2 + beyond { printf "%s", " " $1 " has " $3 " KiB, when it was warm " $2 ";" }')
	[[ -z $FAULT_KEEPS ]]
}

# faults_kept BEYOND SECONDS: until no role holds more than that beyond its start. FAULT_KEEPS: who still does.
faults_kept() {
	local until=$((SECONDS + $2))
	for (( ; ; )); do
		FAULT_KEEPS=$(join <(echo "$FAULT_HELD") <(faults_held) | awk -v beyond="$1" '$3 > $2 + beyond { printf "%s", " " $1 " holds " $3 " descriptors, at its start " $2 ";" }')
		[[ $FAULT_KEEPS ]] || return 0
		((SECONDS < until)) || return 1
		sleep 0.5
	done
}

faults_client() {
	faults_moved "$(build_program switchbench)" --port "$PORT_BASE" --keys "$RUN/keys" --book "$RUN/faults/till" "$@"
}

# faults_load RATE SECONDS: one JSON object in faults/client.json.
faults_load() {
	faults_client --endure --calm "$FAULT_BEFORE" --corridor "$FAULT_CORRIDOR" --rate "$1" --seconds "$2" --control $((PORT_BASE + 2)) \
		--operators $((PORT_BASE + 1)) >"$RUN/faults/client.json" 2>>"$RUN/log/faults.log"
}

# fault_number MEMBER: of what the client said.
fault_number() {
	[[ $(<"$RUN/faults/client.json") =~ \"$1\":([0-9]+) ]] || die "the client said nothing; see $RUN/log/faults.log"
	printf %s "${BASH_REMATCH[1]}"
}

# The highest rate that nobody feels; the lowest where none is.
faults_rate() {
	local rate
	FAULT_CORRIDOR=faults FAULT_TABLESPACE=
	faults_fresh
	faults_load 20 2 # connections, caches and plans
	for rate in "${FAULT_RATES[@]}"; do
		FAULT_RATE=$rate
		faults_load "$rate" 4
		(($(fault_number dropped) + $(fault_number unfinished) > 0 || $(fault_number p99_ms) > 1500)) || break
	done
	step "faults: $FAULT_RATE payments a second"
}

# faults_row NAME: not zero where it failed; with FAULT_WHY where it could not be done.
faults_row() {
	local name=$1 f=${1//-/_} hold gap client healed_ms resolved_ms=-1 status=0
	read -r _ hold gap <<<"$(printf '%s\n' "${FAULT_ROWS[@]}" | grep "^$name ")"
	FAULT_CORRIDOR=faults FAULT_TABLESPACE= FAULT_CAPACITY=
	local FAULT_RATE=$FAULT_RATE
	if declare -F "prepare_$f" >/dev/null; then "prepare_$f" || return 1; fi
	faults_fresh
	faults_load "$FAULT_RATE" $((FAULT_BEFORE + hold + FAULT_AFTER)) &
	client=$!
	sleep "$FAULT_BEFORE"
	FAULT_WARM=$(faults_memory)
	"break_$f"
	sleep "$hold"
	! declare -F "heal_$f" >/dev/null || "heal_$f"
	healed_ms=$(date +%s%3N)
	faults_resolved "$healed_ms" || status=1
	resolved_ms=$FAULT_RESOLVED
	wait "$client" || die "the client ended; see $RUN/log/faults.log"
	faults_settle || status=1
	faults_judge "$name" "$gap" "$resolved_ms" || status=1
	! declare -F "after_$f" >/dev/null || "after_$f"
	return $status
}

# faults_resolved SINCE: until no payment is open that was begun by then; what is after a minute must be on the
# exception list. FAULT_RESOLVED: how long that took, in ms; -1 where it did not happen.
faults_resolved() {
	local minute=$((SECONDS + FAULT_MINUTE)) until=$((SECONDS + FAULT_SETTLE)) left unlisted at="to_timestamp($1 / 1000.0 + $(<"$RUN/faults/clock"))"
	FAULT_RESOLVED=-1
	while ((SECONDS <= until)); do
		left= unlisted=
		read -r left unlisted < <(server_sql -At -F ' ' -d "$DB" -c "select count(*), count(*) filter (where not exists (select from
			ledger.exception_open x where x.payment = d.payment)) from ledger.due d where ledger.id_time(payment) < $at" 2>/dev/null)
		if [[ $left == 0 ]]; then
			FAULT_RESOLVED=$(($(date +%s%3N) - $1))
			return 0
		fi
		((SECONDS <= minute || ${unlisted:-1} == 0)) || return 1
		sleep 0.5
	done
	return 1
}

# Nothing is left to happen.
faults_settle() {
	local until=$((SECONDS + FAULT_SETTLE))
	until [[ $(server_sql -At -d "$DB" -c 'select count(*) from ledger.due' 2>/dev/null) == 0 ]]; do
		((SECONDS <= until)) || return 1
		sleep 0.5
	done
	sleep 1 # the fakes hear of it a moment later
}

# faults_judge NAME GAP RESOLVED: books, words and times; prints the row.
faults_judge() {
	local lost doubled left others errors gap calm passed=true notes=''
	read -r lost doubled left others < <(faults_books) || die 'the books cannot be read'
	gap=$(fault_number gap_ms) calm=$(fault_number calm_gap_ms)
	((doubled += $(fault_number doubled)))
	errors=$(($(fault_number unanswered) + $(fault_number bad_signature) + $(fault_number refused) + $(fault_number dropped)))
	((lost + doubled + left + others == 0)) || { passed=false; cat "$RUN/faults/faults" >&2; }
	(($(fault_number wrong) + $(fault_number unfinished) == 0)) || passed=false notes+=" wrong answers $(fault_number wrong), without a final answer $(fault_number unfinished);"
	((gap <= $2 + calm)) || passed=false notes+=" served nobody for longer than $2 ms beyond the $calm ms of before;"
	(($3 >= 0)) || passed=false notes+=' not resolved in time;'
	faults_kept $FAULT_POOLED 5 && { [[ $1 != none ]] || faults_kept 0 $FAULT_IDLE; } || passed=false notes+=$FAULT_KEEPS
	faults_grown $([[ $1 == none ]] && echo $FAULT_STILL || echo $FAULT_FULLER) || passed=false notes+=$FAULT_KEEPS
	if [[ $FAULT_CAPACITY ]]; then
		local good=$(($(fault_number paid_in_time) / (FAULT_BEFORE + FAULT_AFTER + 10)))
		notes+=" capacity $FAULT_CAPACITY/s, offered $FAULT_RATE/s, paid $good/s;"
		((good * 100 >= FAULT_CAPACITY * 80)) || passed=false
	fi
	printf '%-17s %8d %6d %8d %8d %6d %8d %6d %9d  %s%s\n' "$1" "$(fault_number payments)" "$(fault_number paid)" \
		"$(fault_number declined)" "$errors" "$gap" "$3" "$((lost + doubled))" "$left" \
		"$([[ $passed == true ]] && echo passed || echo FAILED)" "$notes"
	results+=("$(printf '{"name":"%s","lost":%d,"doubled":%d,"in_doubt_left":%d,"gap_ms":%d,"calm_gap_ms":%d,"errors":%d,"resolved_ms":%d,"payments":%d,"paid":%d,"declined":%d,"passed":%s}' \
		"$1" "$lost" "$doubled" "$left" "$gap" "$calm" "$errors" "$3" "$(fault_number payments)" "$(fault_number paid)" \
		"$(fault_number declined)" "$passed")")
	[[ $passed == true ]]
}

# Lost, doubled, left in doubt, other faults.
faults_books() {
	local zero
	demo_books >"$RUN/faults/books" || return
	cat "$RUN/faults/till" >>"$RUN/faults/books"
	zero=$(demo_zero) || return
	server_sql -d "$DB" -v books="$RUN/faults/books" -v since='1970-01-01' -v faults="$RUN/faults/faults" \
		-f "$SRC/tests/faults/judge.sql" >"$RUN/faults/sums" || return
	[[ -z $zero ]] || printf '%s\n' "$zero" >>"$RUN/faults/faults"
	awk -v more="$([[ -z $zero ]] || wc -l <<<"$zero")" '{ print $1, $2, $3, $4 + more }' "$RUN/faults/sums"
}

faults_head() {
	printf '%-17s %8s %6s %8s %8s %6s %8s %6s %9s\n' fault payments paid declined errors 'gap ms' resolved wrong 'in doubt'
}

# A few rows for `./xw test`.
faults_short() {
	local results=() skipped=() failed=0
	step 'test: faults'
	(faults_begin && faults_rate && faults_head && faults_rows "${FAULT_SHORT[@]}") >"$RUN/log/faults.rows" 2>"$RUN/log/faults.err" ||
		failed=$?
	((failed == 0)) || tail -n 20 "$RUN/log/faults.err" >&2
	cat "$RUN/log/faults.rows"
	check_row 'faults on real processes' $((${#FAULT_SHORT[@]} - failed)) "$failed" 0
	fault_go_on
	bench_stop
	daemon_stop proxy TERM
}
