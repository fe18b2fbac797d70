# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Three rows of `./xw bench` about room instead of rate: what a payment takes in memory while it waits for its
# wallet and what a connection takes that says nothing (`--idle N`); and how long a start takes that finds N
# payments in doubt (`--doubt N`). Payments go on beside both, and the books decide as ever.
#
# The hard thing is to measure a switch that is at work: what is to be measured happens between its start and
# the load, by BENCH_BESIDE, which bench_corridor calls there.

ROOM_IDLE=10000 ROOM_DOUBT=100000
ROOM_CORRIDOR=wallet-cpm ROOM_RATE=100 ROOM_SECONDS=20
ROOM_FLIGHT=200     # payments that wait for a wallet
ROOM_QUESTIONS=1500  # a second and wallet, where so many are in doubt

# What the processes of the switch hold, in KB; what they share is counted in each.
room_kb() {
	local pid kb=0 each
	pid=$(daemon_pid switchd)
	for each in $pid $(<"/proc/$pid/task/$pid/children"); do
		each=$(awk '/^VmRSS/ { print $2 }' "/proc/$each/status")
		((kb += each))
	done
	echo $kb
}

# room_metric NAME: of the switch's own.
room_metric() {
	local line port=$((PORT_BASE + 1)) operators
	exec {operators}<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' $port >&$operators
	awk -v name="$1" '$1 == name { print int($2) }' <&$operators
	exec {operators}>&-
}

# room_conf FILE LINE: added for this row.
room_conf() {
	cp "$RUN/conf/$1" "$RUN/bench/conf.$(basename "$1")"
	echo "$2" >>"$RUN/conf/$1"
}

room_conf_back() { mv "$RUN/bench/conf.$(basename "$1")" "$RUN/conf/$1"; }

# room_product: of the corridor that was just run.
room_product() { [[ $BENCH_OBJECT =~ \"product\":([0-9.]+) ]] && echo "${BASH_REMATCH[1]}"; }
room_p99() { [[ $BENCH_OBJECT =~ \"p99_ms\":([0-9.]+) ]] && echo "${BASH_REMATCH[1]}"; }

# ---- payments in flight, idle connections --------------------------------------------------------

# The fakes stand still, so whatever is asked of them waits.
room_flight() {
	local before sandbox faults
	step 'bench: payments in flight'
	bench_fresh
	room_load --rate $ROOM_FLIGHT --seconds 2 # whatever is made once is made
	before=$(room_kb)
	sandbox=$(daemon_pid switchsandbox)
	kill -STOP "$sandbox"
	room_load --rate $ROOM_FLIGHT --seconds 1 &
	sleep 2
	ROOM_FLYING=$(room_metric xw_requests_waiting)
	ROOM_FLIGHT_KB=$(($(room_kb) - before))
	ROOM_START_KB=$before
	kill -CONT "$sandbox"
	wait $! || return 1
	bench_settle
	read -r faults _ < <(bench_books "$RUN/bench/tills") || die 'the books cannot be read'
	((faults == 0))
}

# As the fault matrix has it: every call is repeated until its answer is final.
room_load() {
	bench_program --endure --corridor $ROOM_CORRIDOR --port "$PORT_BASE" --operators $((PORT_BASE + 1)) --control $((PORT_BASE + 2)) \
		--keys "$RUN/keys" --book "$RUN/bench/till" "$@" >>"$RUN/log/room.log" || return
	cat "$RUN/bench/till" >>"$RUN/bench/tills"
}

room_connect() {
	local before=$(room_kb)
	coproc ROOM { bench_program --idle "$ROOM_WANTED" --port "$PORT_BASE" --keys "$RUN/keys" 2>>"$RUN/log/room.log"; }
	read -r -u "${ROOM[0]}" ROOM_UP
	ROOM_IDLE_KB=$(($(room_kb) - before))
}

# bench_idle [CONNECTIONS] [RATE]
bench_idle() {
	local rate=${2:-$ROOM_RATE} good=0 without with kept=true p99=()
	ROOM_WANTED=${1:-$ROOM_IDLE}
	rm -f "$RUN/bench/tills"
	room_flight || good=1
	step "bench: $ROOM_CORRIDOR, nobody beside"
	bench_corridor $ROOM_CORRIDOR --rate "$rate" --seconds $ROOM_SECONDS || good=1
	without=$(room_product) p99=("$(room_p99)")
	step "bench: $ROOM_CORRIDOR beside $ROOM_WANTED connections that say nothing"
	room_conf switchd.yaml 'idle_s: "1800"'
	BENCH_BESIDE=room_connect bench_corridor $ROOM_CORRIDOR --rate "$rate" --seconds $ROOM_SECONDS || good=1
	with=$(room_product) p99+=("$(room_p99)")
	exec {ROOM[1]}>&-
	wait $ROOM_PID || kept=false good=1
	room_conf_back switchd.yaml
	ROOM_ROWS+=("$(printf 'in flight: %d payments took %d KB beyond the %d KB of the start (%s each)' "$ROOM_FLYING" "$ROOM_FLIGHT_KB" "$ROOM_START_KB" \
		"$(room_each $ROOM_FLIGHT_KB "$ROOM_FLYING")")"
	"$(printf 'idle: %d connections, %s each; product %s us a payment beside them, %s us without; p99 %s and %s ms; all kept: %s' \
		"$ROOM_UP" "$(room_each $ROOM_IDLE_KB "$ROOM_UP")" "$with" "$without" "${p99[1]}" "${p99[0]}" $kept)")
	ROOM_OBJECTS+=("$(printf '"in_flight":{"payments":%d,"kb":%d,"start_kb":%d}' "$ROOM_FLYING" "$ROOM_FLIGHT_KB" "$ROOM_START_KB")"
	"$(printf '"idle":{"connections":%d,"kb":%d,"kept":%s,"product_us":%s,"without_us":%s,"p99_ms":%s,"without_p99_ms":%s,"books_ok":%s}' "$ROOM_UP" \
		"$ROOM_IDLE_KB" $kept "$with" "$without" "${p99[1]}" "${p99[0]}" "$( ((good)) && echo false || echo true)")")
	return $good
}

room_each() { awk -v kb="$1" -v n="$2" 'BEGIN { printf "%.1f KB", n ? kb / n : 0 }'; }

# ---- a start with payments in doubt --------------------------------------------------------------

# The ledger gets them while no switch runs; then it starts, and everything else with it.
room_doubt() {
	local from
	daemon_stop switchd TERM
	daemon_stop switchsandbox TERM
	"$(build_program fill)" --conf "$RUN/conf/switchd.yaml" --payments "$ROOM_WANTED" --doubt yes \
		--postgres "host=$SOCK port=5432 dbname=$DB user=switch_rw" >>"$RUN/log/room.log" 2>&1 || die 'the ledger could not be filled'
	server_sql -d "$DB" -c 'vacuum analyze' -c checkpoint
	sleep 6 # until their alarms are due
	ROOM_DUE=$(audit_sql "select count(*) from ledger.due where at < now()")
	up_start switchsandbox switchsandbox.json
	daemon_wait switchsandbox 30 up_answers $((PORT_BASE + 2)) /participants || die 'no fakes'
	sleep 1 # the books' beginning has no fraction of a second
	from=${EPOCHREALTIME/./}
	up_start switchd switchd.yaml
	daemon_wait switchd 60 up_answers $((PORT_BASE + 1)) /readyz || die 'no switch'
	ROOM_SERVES_MS=$(((${EPOCHREALTIME/./} - from) / 1000))
	ROOM_FROM=$from
}

# bench_doubt [PAYMENTS] [RATE]
bench_doubt() {
	local rate=${2:-$ROOM_RATE} good=0 name file taken busiest final p99 settle=$BENCH_SETTLE
	ROOM_WANTED=${1:-$ROOM_DOUBT}
	step "bench: a start with $ROOM_WANTED payments in doubt"
	for name in alipayplus bluecode; do room_conf participants/$name.yaml "questions_per_s: \"$ROOM_QUESTIONS\""; done
	BENCH_SETTLE=$((60 + ROOM_WANTED / 20))
	BENCH_BESIDE=room_doubt bench_corridor $ROOM_CORRIDOR --rate "$rate" --seconds $ROOM_SECONDS || good=1
	BENCH_SETTLE=$settle
	p99=$(room_p99)
	for name in alipayplus bluecode; do room_conf_back participants/$name.yaml; done
	# When the last of them was asked about for the first time, and was over; the busiest second of a wallet.
	IFS='|' read -r taken final busiest < <(audit_sql "with f as (select payment from ledger.step where version = 2 and at < to_timestamp($ROOM_FROM / 1e6)),
		s as (select s.* from ledger.step s join f using (payment) where s.version > 2)
		select round(extract(epoch from (select max(at) from s where version = 3)) - $ROOM_FROM / 1e6, 1),
			round(extract(epoch from (select max(at) from s)) - $ROOM_FROM / 1e6, 1),
			(select max(n) from (select count(*) as n from s where version = 3 group by issuer, date_trunc('second', at)) x)")
	ROOM_ROWS+=("$(printf 'in doubt: %d payments; serves after %d ms; all taken up after %s s, over after %s s; at most %s a second and wallet (allowed %d); p99 of others %s ms' \
		"$ROOM_DUE" "$ROOM_SERVES_MS" "$taken" "$final" "$busiest" $ROOM_QUESTIONS "$p99")")
	ROOM_OBJECTS+=("$(printf '"doubt":{"payments":%d,"serves_ms":%d,"taken_s":%s,"over_s":%s,"busiest_s":%s,"allowed_s":%d,"p99_ms":%s,"books_ok":%s}' \
		"$ROOM_DUE" "$ROOM_SERVES_MS" "${taken:-null}" "${final:-null}" "${busiest:-null}" $ROOM_QUESTIONS "$p99" "$( ((good)) && echo false || echo true)")")
	return $good
}

room_table() { ((${#ROOM_ROWS[@]} == 0)) || printf '%s\n' "${ROOM_ROWS[@]}"; }

room_json() {
	local IFS=,
	[[ -z $JSON ]] || printf '{%s}\n' "${ROOM_OBJECTS[*]}"
}
