# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw bench --growth [N]`: what a payment costs on a ledger of N payments, beside what it costs on an empty
# one. The ledger is filled through the payment machine and the same commits (tests/audit/fill.c), sealed, and
# put aside; then the same corridor runs at the same rate on either in turn. Where `./xw audit` left a ledger of
# at least as many, that one is taken: to fill another takes an hour.
#
# The hard thing is to compare nothing but the ledgers: what else the machine does changes from minute to
# minute, so the runs alternate, and both figures are means of as many runs.

GROWN_PAYMENTS=10000000
GROWN_BYTES=6500 # that one of them may take on the disk, with the server's log and room for sorting
GROWN_TAKEN=
GROWN_CORRIDOR=wallet-cpm GROWN_RATE=150 GROWN_SECONDS=20 GROWN_ROUNDS=2

# The most that the disk holds, with a tenth of it and the server's log left free.
grown_room() {
	local size free
	read -r size free < <(df --output=size,avail -B1 "$RUN" | tail -n 1)
	echo $(((free - size / 10 - 5 * 1024 ** 3) / GROWN_BYTES / 1000 * 1000))
}

# grown_take PAYMENTS: data folder, log and keys of what `./xw audit` left, before servers are up; false where
# there is too little.
grown_take() {
	local left=$MAIN/audit there
	read -r there 2>/dev/null <"$left/filled" && ((there >= $1)) || return
	say "$left has a ledger of $there payments; it is taken"
	rm -rf "$RUN/sealer.grown" "$RUN/keys" "$left/filled"
	cp -a "$left/keys" "$RUN/keys" # what is sealed and encrypted there is so by these
	mv "$left/pg" "$RUN/pg"
	mv "$left/sealer" "$RUN/sealer.grown"
	GROWN_TAKEN=$there
}

# bench_growth [PAYMENTS] [RATE]
bench_growth() {
	local payments=${1:-$GROWN_PAYMENTS} rate=${2:-$GROWN_RATE} most=$(grown_room) round ledger empty=() grown=() rows=() good=0 bytes
	((${#BENCH_CORRIDORS[@]} > 1)) || GROWN_CORRIDOR=${BENCH_CORRIDORS[0]}
	if [[ -n $GROWN_TAKEN ]]; then
		payments=$GROWN_TAKEN
		server_sql -d postgres -c 'alter database audit rename to grown'
		server_migrate grown
	else
		((payments <= most)) || { say "the disk holds $most payments, not $payments" && payments=$most; }
		((payments > 0)) || die 'the disk is full'
		grown_fill "$payments"
	fi
	bytes=$(server_sql -At -d postgres -c "select pg_database_size('grown')")
	for ((round = 1; round <= GROWN_ROUNDS; round++)); do
		for ledger in empty grown; do
			step "bench: $GROWN_CORRIDOR, $ledger ledger, $round of $GROWN_ROUNDS"
			BENCH_GROWN=$([[ $ledger == empty ]] || echo yes)
			bench_corridor "$GROWN_CORRIDOR" --rate "$rate" --seconds $GROWN_SECONDS || good=1
			[[ -z $BENCH_GROWN ]] || grown_aside
			rows+=("$(printf '%-7s' $ledger)${BENCH_ROW#"$GROWN_CORRIDOR"}")
			[[ $BENCH_OBJECT =~ \"product\":([0-9.]+) ]]
			if [[ $ledger == empty ]]; then empty+=("${BASH_REMATCH[1]}"); else grown+=("${BASH_REMATCH[1]}"); fi
		done
	done
	BENCH_GROWN=
	grown_report
	return $good
}

grown_fill() {
	rm -rf "$RUN/sealer.grown" # of an earlier run
	bench_fresh # the accounts are the switch's to make
	daemon_stop switchd TERM
	daemon_stop switchsandbox TERM
	audit_fill "$1"
	say "      $FILLED"
	grown_aside
}

grown_aside() {
	bench_stop
	server_sql -d postgres -c "alter database $DB rename to grown"
	mv "$RUN/sealer" "$RUN/sealer.grown"
}

grown_mean() { tr ' ' '\n' <<<"$*" | awk '{ sum += $1 } END { printf "%.1f", sum / NR }'; }

grown_report() {
	local row e=$(grown_mean "${empty[@]}") g=$(grown_mean "${grown[@]}") ratio
	ratio=$(awk -v e="$e" -v g="$g" 'BEGIN { printf "%.3f", g / e }')
	printf '\nledger %s; the last three columns: processor us of switchd, postgres, product\n' "$GROWN_CORRIDOR"
	for row in "${rows[@]}"; do printf '%s\n' "$row"; done
	printf '\n%d payments, %d bytes: product %s us a payment on it, %s us on an empty ledger: %s (goal 1.15)\n' \
		"$payments" "$bytes" "$g" "$e" "$ratio"
	[[ -z $JSON ]] || {
		local IFS=,
		printf '{"growth":{"corridor":"%s","rate":%s,"payments":%d,"bytes":%d,"empty_us":[%s],"grown_us":[%s],"empty":%s,"grown":%s,"ratio":%s,"books_ok":%s}}\n' \
			"$GROWN_CORRIDOR" "$rate" "$payments" "$bytes" "${empty[*]}" "${grown[*]}" "$e" "$g" "$ratio" \
			"$( ((good)) && echo false || echo true)"
	}
}
