# shellcheck shell=bash disable=SC2015,SC2034,SC2086,SC2155  # part of ./xw
# The rows of the fault matrix. A row NAME has break_NAME and may have heal_NAME; what it needs before
# the payments begin is prepare_NAME, which says a reason and fails where this machine cannot do it.
#
# name, for how many seconds it is broken, and how long nobody may be served, in milliseconds. What
# takes everybody down may cost as long as it lasts and what coming back takes.
FAULT_ROWS=(
	'none 1 2000'
	'worker-kill 1 1000'
	'worker-stop 12 2000'
	'supervisor-kill 1 8000'
	'supervisor-stop 5 2000'
	'clerk-kill 1 2000'
	'clerk-stop 12 2000'
	'sealer-kill 2 2000'
	'sealer-stop 5 2000'
	'reload 4 2000'
	'redis-kill 3 2000'
	'redis-stop 5 2000'
	'redis-hole 5 2000'
	'redis-flush 1 2000'
	'pg-backend-kill 1 8000'
	'pg-backend-stop 5 8000'
	'pg-kill 2 10000'
	'pg-stop 5 9000'
	'pg-restart 0 8000'
	'pg-cut 0 3000'
	'pg-slow 5 3000'
	'pg-hole 8 14000'
	'disk-full 5 12000'
	'partner-silent 8 6000'
	'partner-slow 6 3000'
	'partner-garbled 6 3000'
	'partner-wrong 6 3000'
	'partner-error 6 3000'
	'partner-down 8 3000'
	'partner-hole 8 6000'
	'partner-storm 1 2000'
	'descriptors 6 3000'
	'overload 10 3000'
	'clock-back 4 3000'
	'clock-ahead 4 3000'
)
# Those of `./xw test`.
FAULT_SHORT=(worker-kill pg-kill redis-kill partner-down)

# ---- who is who ----------------------------------------------------------------------------------

# Processes of a role of switchd, by the name that each gives itself.
fault_role() {
	local pid
	for pid in $(cat /proc/"$(daemon_pid switchd)"/task/*/children); do
		[[ $(</proc/$pid/comm) != "xw-$1" ]] || echo "$pid"
	done
}
fault_one_of() { fault_role "$1" | head -n 1; }
fault_signal() {
	local signal=$1 pid
	shift
	for pid; do kill -s "$signal" "$pid" 2>/dev/null || true; done
}
# Remembers whom it stops, so that they go on whatever happens.
fault_stop() {
	FAULT_STOPPED+=("$@")
	fault_signal STOP "$@"
}
fault_go_on() {
	fault_signal CONT "${FAULT_STOPPED[@]}"
	FAULT_STOPPED=()
}
fault_net() { echo "$*" >"$RUN/faults/orders"; }
fault_start() {
	local line name offset path conf
	for line in "${PROGRAMS[@]}"; do
		read -r name offset path conf <<<"$line"
		[[ $name != "$1" ]] || up_start "$name" "$conf"
	done
}

# ---- our own processes ----------------------------------------------------------------------------

break_none() { :; }
break_worker_kill() { fault_signal KILL "$(fault_one_of worker)"; }
break_worker_stop() { fault_stop "$(fault_one_of worker)"; } # the supervisor ends who hangs for 10 s
heal_worker_stop() { fault_go_on; }
break_supervisor_kill() { fault_signal KILL "$(daemon_pid switchd)"; }
heal_supervisor_kill() { # as a service manager does: what is left goes, then it begins anew
	fault_signal KILL $(daemon_strays switchd)
	fault_start switchd
}
break_supervisor_stop() { fault_stop "$(daemon_pid switchd)"; }
heal_supervisor_stop() { fault_go_on; }
break_clerk_kill() { fault_signal KILL "$(fault_one_of clerk)"; }
break_clerk_stop() { fault_stop "$(fault_one_of clerk)"; }
heal_clerk_stop() { fault_go_on; }
break_sealer_kill() { fault_signal KILL "$(daemon_pid sealer)"; }
heal_sealer_kill() { fault_start sealer; }
break_sealer_stop() { fault_stop "$(daemon_pid sealer)"; }
heal_sealer_stop() { fault_go_on; }
break_reload() { fault_signal HUP "$(daemon_pid switchd)"; }
# No room for one descriptor more than there are, and those stay taken.
break_descriptors() {
	local pid open
	for pid in $(fault_role worker); do
		open=(/proc/$pid/fd/*)
		prlimit --pid "$pid" --nofile="${#open[@]}:$(ulimit -Hn)"
	done
}
heal_descriptors() {
	local pid
	for pid in $(fault_role worker); do prlimit --pid "$pid" --nofile="$(ulimit -Sn):$(ulimit -Hn)"; done
}

# ---- Redis ----------------------------------------------------------------------------------------

break_redis_kill() { fault_signal KILL "$(daemon_pid redis)"; }
heal_redis_kill() { server_redis; }
break_redis_stop() { fault_stop "$(daemon_pid redis)"; }
heal_redis_stop() { fault_go_on; }
break_redis_hole() { fault_net redis hole; }
heal_redis_hole() { fault_net redis pass; }
break_redis_flush() { redis-cli -s "$SOCK/redis.sock" flushall >/dev/null; }

# ---- Postgres -------------------------------------------------------------------------------------

fault_backends() { server_sql -At -d "$DB" -c "select pid from pg_stat_activity where usename = 'switch_rw' order by query_start desc $1"; }
break_pg_backend_kill() { fault_signal KILL $(fault_backends 'limit 1'); } # the server starts all of itself anew
break_pg_backend_stop() { fault_stop $(fault_backends 'limit 2'); }
heal_pg_backend_stop() { fault_go_on; }
fault_pg_all() { echo "$(daemon_pid pg)" $(cat /proc/"$(daemon_pid pg)"/task/*/children); }
break_pg_kill() { fault_signal KILL $(fault_pg_all); }
heal_pg_kill() { faults_moved server_pg; }
break_pg_stop() { fault_stop $(fault_pg_all); }
heal_pg_stop() { fault_go_on; }
break_pg_restart() {
	daemon_stop pg INT
	faults_moved server_pg
}
break_pg_cut() { fault_net pg cut; }
break_pg_slow() { fault_net pg slow 15; }
heal_pg_slow() { fault_net pg pass; }
break_pg_hole() { fault_net pg hole; }
heal_pg_hole() { fault_net pg pass; }

# The ledger lies on a file system of 400 MB that another file fills. A file system of one's own needs
# a name space of one's own, with a server in it.
prepare_disk_full() {
	local bin=$(server_pg_bin) space=(unshare --user --map-current-user --keep-caps --mount)
	mkdir -p "$RUN/faults/full"
	"${space[@]}" mount -t tmpfs none "$RUN/faults/full" 2>/dev/null ||
		{ FAULT_WHY='no name spaces for users here, so no small file system'; return 1; }
	daemon_stop pg INT
	faults_moved daemon_start pg unshare "$(command -v unshare)" "${space[@]:1}" \
		sh -c 'mount -t tmpfs -o size=400m none "$1" && mkdir -m 700 "$1/ledger" && shift && exec "$@"' start "$RUN/faults/full" \
		"$bin/postgres" -D "$RUN/pg" -k "$SOCK"
	daemon_wait pg 60 "$bin/pg_isready" -q -h "$SOCK" || die 'no postgres on a small file system'
	server_sql -d postgres -c "create tablespace small location '$RUN/faults/full/ledger'"
	FAULT_TABLESPACE='tablespace small'
}
fault_filler() { printf %s "/proc/$(daemon_pid pg)/root$RUN/faults/full/filler"; }
break_disk_full() { dd if=/dev/zero of="$(fault_filler)" bs=64k 2>/dev/null || true; }
heal_disk_full() { rm -f "$(fault_filler)"; }
after_disk_full() {
	server_sql -d postgres -c 'set client_min_messages = warning' -c "drop database $DB with (force)" -c 'drop tablespace small'
	daemon_stop pg INT
	server_pg
}

# ---- partners -------------------------------------------------------------------------------------

# fault_mischief WALLET HOW [MEMBERS]: whatever it is asked. The other wallet's payers notice nothing.
fault_mischief() {
	local op ops='pay inquiryPayment'
	[[ $1 == alipayplus ]] || ops='payment status'
	for op in $ops; do demo_do "$1" "{\"do\":\"misbehave\",\"op\":\"$op\",\"how\":\"$2\"${3-}}"; done
}
fault_peace() { fault_mischief "$1" "$2" ',"count":0'; } # WALLET HOW: that order is taken back
FAULT_EACH=',"count":60000'

break_partner_silent() { fault_mischief bluecode silent "$FAULT_EACH"; }
heal_partner_silent() { fault_peace bluecode silent; }
break_partner_slow() { fault_mischief alipayplus slow "$FAULT_EACH,\"ms\":1500"; }
heal_partner_slow() { fault_peace alipayplus slow; }
break_partner_garbled() { fault_mischief alipayplus garbled "$FAULT_EACH"; }
heal_partner_garbled() { fault_peace alipayplus garbled; }
break_partner_wrong() { fault_mischief bluecode wrong-amount "$FAULT_EACH"; }
heal_partner_wrong() { fault_peace bluecode wrong-amount; }
break_partner_error() { fault_mischief bluecode error-500 "$FAULT_EACH"; }
heal_partner_error() { fault_peace bluecode error-500; }
break_partner_down() { fault_net bluecode down; }
heal_partner_down() { fault_net bluecode pass; }
break_partner_hole() { fault_net alipayplus hole; }
heal_partner_hole() { fault_net alipayplus pass; }
prepare_partner_storm() { FAULT_CORRIDOR=storm; }
break_partner_storm() { :; } # each payment is told of three times, half of them are asked for again

# ---- load and time --------------------------------------------------------------------------------

# Three times what was carried: what is carried then is at least four fifths of it.
prepare_overload() {
	local out
	faults_fresh
	out=$(faults_client --corridor faults --seconds 25 --control $((PORT_BASE + 2)) --operators $((PORT_BASE + 1)) \
		--pids "$(daemon_pid switchd),$(daemon_pid sealer),$(daemon_pid pg),$(daemon_pid redis),$(daemon_pid switchsandbox)") || true
	[[ ${out##*$'\n'} =~ \"achieved\":([0-9]+) ]] && ((BASH_REMATCH[1] > 0)) ||
		{ FAULT_WHY='no rate was found that this machine carries'; return 1; }
	FAULT_CAPACITY=${BASH_REMATCH[1]}
	# A search that a busy machine cut short says too little: who is offered three times as much and
	# pays nearly all of it was not overloaded.
	local try paid
	for try in 1 2 3 4; do
		FAULT_RATE=$((FAULT_CAPACITY * 3))
		faults_fresh
		faults_load "$FAULT_RATE" 6
		paid=$(($(fault_number paid_in_time) / 6))
		((paid * 10 >= FAULT_RATE * 9)) || break
		FAULT_CAPACITY=$paid FAULT_RATE=$((paid * 3))
	done
}
break_overload() { :; }

# The whole machine's clock, while answers of a partner are missing: what is overdue is not forgotten
# for an hour, and nothing is taken for an hour old.
fault_clock() { printf '%-15s\n' "$1" 1<>"$RUN/faults/clock"; }
break_clock_back() {
	fault_mischief alipayplus silent ',"count":40'
	fault_mischief bluecode silent ',"count":40'
	sleep 1
	fault_clock -3600
}
break_clock_ahead() {
	fault_mischief alipayplus silent ',"count":40'
	fault_mischief bluecode silent ',"count":40'
	sleep 1
	fault_clock 3600
}
