# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw audit`: a ledger of many payments of all outcomes, and then all that an auditor would ask of it,
# with the time that each takes; on servers and state of its own. tests/audit/README.md says how it is filled.
#
# Correctness is judged, and so is what the figures must not grow into (a trail, a balance, entries verified a
# second) where somebody asks for the long run; on a busy machine `./xw test` only prints them.

AUDIT_PAYMENTS=1000000

# audit_run [--payments N] [--json]; a long run that was cut off goes on where it is repeated
audit_run() {
	local payments=$AUDIT_PAYMENTS
	while (($#)); do
		case $1 in
		--payments) payments=$2; shift ;;
		--json) JSON=yes ;;
		esac
		shift
	done
	trap check_stop EXIT
	check_stop
	[[ $(cat "$RUN/filling" 2>/dev/null) == "$payments" ]] || rm -rf "$RUN/pg" "$RUN/redis" "$RUN/sealer" "$RUN/fill"*
	BUILD_ONLY=(switch/app/switchd switch/sandbox/switchsandbox switch/audit/switchaudit tests/audit/fill)
	build_tree build
	if [[ -e $RUN/filling ]]; then
		audit_again
	else
		audit_begin
		echo "$payments" >"$RUN/filling"
	fi
	audit_fill "$payments"
	mv "$RUN/filling" "$RUN/filled" # `./xw bench --growth` may take it
	audit_look judged
	audit_report
	check_stop
	trap - EXIT
	((${#AUDIT_FAULTS[@]} == 0)) || exit 1
	exit 0
}

# Servers, configuration, and a switch that makes the accounts of it, once; limits would refuse most of so
# many payments.
audit_begin() {
	DB=audit PORT_BASE=$((PORT_BASE + 50))
	servers_up
	server_migrate xw_tmpl
	configure_run
	bench_fresh
	daemon_stop switchd TERM
	daemon_stop switchsandbox TERM
	server_sql -d "$DB" -c "select ledger.cap_set(account, null, false, 'audit', 'a ledger is filled') from ledger.account_total" >/dev/null
}

# The ledger of a run that was cut off, with its sealer alone: the clerk would begin to deliver millions of results.
audit_again() {
	local PROGRAMS=('sealer - - -')
	DB=audit PORT_BASE=$((PORT_BASE + 50))
	servers_up
	server_migrate "$DB"
	up_programs
}

audit_sql() { server_sql -At -d "$DB" -c "$1"; }
audit_program() {
	"$(build_program switchaudit)" "$@" --postgres "host=$SOCK port=5432 dbname=$DB user=auditor_ro"
}

# audit_fill PAYMENTS: with the sealer behind; then results are acknowledged, as the clerk would have it.
audit_fill() {
	local there=$(audit_sql 'select count(*) from ledger.payment')
	step "audit: $1 payments$( ((there == 0)) || echo ", of which $there are there")"
	FILLED='no payment was missing'
	((there >= $1)) || FILLED=$("$(build_program fill)" --conf "$RUN/conf/switchd.yaml" --payments $(($1 - there)) \
		--postgres "host=$SOCK port=5432 dbname=$DB user=switch_rw" 2>"$RUN/log/fill.log") ||
		{ tail -n 3 "$RUN/log/fill.log" >&2; die 'the ledger could not be filled'; }
	# A transaction is sealed whole, and the clerk's are small.
	audit_sql "do \$\$ declare ids uuid[]; last uuid := '00000000-0000-0000-0000-000000000000'; begin loop
		select array_agg(id order by id) into ids from (select id from ledger.outbox where id > last order by id limit 2000) o;
		exit when ids is null;
		perform ledger.outbox_done(id, sha256('thanks')) from unnest(ids) id;
		last := ids[cardinality(ids)];
		commit;
	end loop; end \$\$"
	server_sql -d "$DB" -c 'vacuum analyze' -c checkpoint
	step 'audit: until all is sealed'
	audit_sealed
}

# All steps and what was acknowledged are in the log; not zero where the sealer stands still for a minute.
audit_sealed() {
	local last=-1 now until=$((SECONDS + 60))
	# Nothing is left but checkpoints, which are rows too.
	until [[ $(audit_sql "select not exists (select from ledger.step where xact >= (select max(upto) from ledger.block))
		and not exists (select from ledger.delivery where xact >= (select max(upto) from ledger.block))") == t ]]; do
		now=$(audit_sql 'select count(*) from ledger.block')
		((now == last)) || until=$((SECONDS + 60)) last=$now
		((SECONDS < until)) || die 'the sealer stands still'
		sleep 1
	done
}

# audit_ms COMMAND...: its time in milliseconds in AUDIT_MS, its output in AUDIT_OUT.
audit_ms() {
	local from=${EPOCHREALTIME/./} status=0
	AUDIT_OUT=$("$@" 2>"$RUN/log/audit.err") || status=$?
	AUDIT_MS=$(((${EPOCHREALTIME/./} - from) / 1000))
	return $status
}

# audit_want NAME LIMIT_MS: what the last one took; judged only where the run is.
audit_want() {
	AUDIT_ROWS+=("$1 $AUDIT_MS")
	[[ -z $JUDGED ]] || ((AUDIT_MS <= $2)) || AUDIT_FAULTS+=("$1 took $AUDIT_MS ms, not $2")
}

audit_wrong() { AUDIT_FAULTS+=("$1"); }

# audit_look [judged]
audit_look() {
	local id at day entries position file=$RUN/audit.proof
	JUDGED=${1-} AUDIT_ROWS=() AUDIT_FAULTS=()
	step 'audit: verify'
	audit_ms audit_program verify --json --key "$RUN/sealer/checkpoints.key" --notes "$RUN/sealer/checkpoints" || audit_wrong "verify: $AUDIT_OUT"
	AUDIT_VERIFY=$AUDIT_OUT
	entries=$(sed -n 's/.*"entries":\([0-9]*\).*/\1/p' <<<"$AUDIT_OUT")
	AUDIT_ENTRIES_S=$((entries * 1000 / (AUDIT_MS + 1)))
	[[ -z $JUDGED ]] || ((AUDIT_ENTRIES_S >= 50000)) || audit_wrong "verify did $AUDIT_ENTRIES_S entries a second, not 50000"
	AUDIT_ROWS+=("verify $AUDIT_MS")
	step 'audit: questions'
	# The middle payment; the plans are warm after one question, as an auditor's are.
	id=$(audit_sql "select ledger.id_text(payment) from ledger.step where version = 1 and payment >= (select payment from ledger.step where
		xact >= (select upto from ledger.block order by first offset (select count(*) / 2 from ledger.block) limit 1) order by xact limit 1) order by payment limit 1")
	audit_sql "select count(*) from audit.trail('$id')" >/dev/null
	AUDIT_MS=$(audit_sql "explain (analyze, timing off) select * from audit.trail('$id')" | sed -n 's/^Execution Time: \([0-9]*\).*/\1/p')
	audit_want trail 50
	[[ $(audit_sql "select count(*) > 1 from audit.trail('$id')") == t ]] || audit_wrong "no trail of $id"
	at=$(audit_sql "select min(at) + (max(at) - min(at)) * 0.6 from ledger.step where version = 1")
	audit_ms audit_program trial-balance --at "$at" || audit_wrong 'the trial balance is not zero'
	audit_want trial-balance 5000
	day=$AUDIT_OUT
	audit_ms audit_sql "select coalesce(sum(abs(s)), 0) from (select sum(posted) as s from audit.trial_balance('$at') group by currency) z"
	audit_want view-trial-balance 5000
	[[ $AUDIT_OUT == 0 ]] || audit_wrong 'audit.trial_balance is not zero'
	position=$(audit_sql "select name from ledger.account where name = 'position till-eur EUR'")
	audit_ms audit_program export "$position" --form camt.053 --from "$at" --out "$file.xml" || audit_wrong "the statement of $position"
	AUDIT_ROWS+=("statement $AUDIT_MS")
	[[ ! -r ${XW_SPECS-}/iso20022/camt.053.001.08.xsd ]] || xmllint --noout --nonet --huge --schema "$XW_SPECS/iso20022/camt.053.001.08.xsd" "$file.xml" 2>"$RUN/log/xmllint.err" ||
		audit_wrong 'camt.053 is not valid'
	audit_ms audit_program trace "$id" || audit_wrong "trace $id"
	AUDIT_ROWS+=("trace $AUDIT_MS")
	audit_ms audit_program prove "$id" --out "$file" || audit_wrong "prove $id: $(cat "$RUN/log/audit.err")"
	AUDIT_ROWS+=("prove $AUDIT_MS")
	node "$SRC/tests/audit/proof.mjs" "$file" "$RUN/sealer/checkpoints.key" >"$RUN/log/proof.log" 2>&1 || audit_wrong 'the proof does not hold by another hand'
	step 'audit: replay'
	audit_ms audit_program replay --conf "$RUN/conf/switchd.yaml" --json || audit_wrong "replay: $AUDIT_OUT"
	AUDIT_ROWS+=("replay $AUDIT_MS")
	AUDIT_REPLAY=$AUDIT_OUT
	[[ $AUDIT_OUT == *'"differ":0,"other_configuration":0,"untold":0'* ]] || audit_wrong "replay: $AUDIT_OUT"
}

audit_report() {
	local row
	printf '%s\nverify: %s entries a second\n' "$FILLED" "$AUDIT_ENTRIES_S"
	for row in "${AUDIT_ROWS[@]}"; do printf '%-20s %8d ms\n' $row; done
	audit_sql "select format('%-20s %s', w.word, count(*)) from ledger.payment p join ledger.word w on w.list = 'state'
		and w.number = p.state + case when p.final then 256 else 0 end group by w.word order by count(*) desc"
	for row in "${AUDIT_FAULTS[@]}"; do say "not good: $row"; done
	[[ -z $JSON ]] || audit_json
}

audit_json() {
	local row sep=
	printf '{"ok":%s,"entries_per_s":%d,"ms":{' "$( ((${#AUDIT_FAULTS[@]})) && echo false || echo true)" "$AUDIT_ENTRIES_S"
	for row in "${AUDIT_ROWS[@]}"; do
		printf '%s"%s":%d' "$sep" $row
		sep=,
	done
	printf '},"verify":%s,"replay":%s}\n' "${AUDIT_VERIFY:-null}" "${AUDIT_REPLAY:-null}"
}

# The same for `./xw test`, with fewer; figures are shown and not judged, since others may use the machine.
audit_row() {
	local log=$RUN/log/audit.log good=0
	step 'test: audit'
	command -v node >/dev/null || { check_row "audit ($1 payments)" 0 0 1; return; }
	(audit_begin && audit_fill "$1" && audit_look && audit_report && ((${#AUDIT_FAULTS[@]} == 0))) >"$log" 2>"$log.err" && good=1
	((good)) || tail -n 12 "$log.err" >&2
	cat "$log"
	check_row "audit ($1 payments)" $good $((1 - good)) 0
	daemon_stop sealer TERM
}
