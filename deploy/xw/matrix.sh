# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw matrix`: every issuer by every acquirer, in each way and with each outcome, on servers, state
# and ports of its own; tests/matrix/README.md says what a cell is.
#
# Who takes part is read from the configuration of the demonstration, by the switch's own reader; only
# its times are made short.

# matrix_run [--json] [--only CELL]
matrix_run() {
	local status=0
	trap check_stop EXIT
	check_stop
	rm -rf "$RUN/pg" "$RUN/redis"
	BUILD_ONLY=(switch/app/switchd switch/sandbox/switchsandbox tests/matrix/roster)
	build_tree build
	matrix_begin
	step 'matrix'
	matrix_cells "$@" || status=$?
	check_stop
	trap - EXIT
	exit $status
}

# Servers, the configuration with short times, an empty ledger, the programs.
matrix_begin() {
	DB=matrix PORT_BASE=$((PORT_BASE + 50))
	servers_up
	server_migrate xw_tmpl
	mkdir -p "$RUN/matrix"
	rm -rf "$RUN/keys" "$RUN/conf" # the benchmark's, where it ran here: it has other keys
	configure_run
	"$(build_program roster)" "$RUN/conf/switchd.yaml" >"$RUN/matrix/roster.json" || die 'no list of participants'
	node "$SRC/tests/matrix/profile.mjs" "$RUN/conf" "$RUN/matrix/roster.json" || die 'no profile of short times'
	bench_fresh
}

matrix_cells() {
	PGHOST=$SOCK PGUSER=postgres XW_PSQL=$(server_pg_bin)/psql XW_SOURCE=$SRC XW_DB=$DB \
		XW_CONTROL=$((PORT_BASE + 2)) XW_CA=$RUN/keys/tls/ca.pem XW_MATRIX=$RUN/matrix node "$SRC/tests/matrix/matrix.mjs" "$@"
}

# The same for `./xw test`: each cell counts as a test.
matrix_row() {
	local log=$RUN/log/matrix.log passed failed
	step 'test: matrix'
	command -v node >/dev/null || { check_row 'matrix' 0 0 1; return; }
	(matrix_begin && matrix_cells --json) >"$log" 2>"$log.err" || true
	passed=$(sed -n '$s/.*"passed":\([0-9]*\).*/\1/p' "$log") failed=$(sed -n '$s/.*"failed":\([0-9]*\).*/\1/p' "$log")
	[[ $passed && $failed ]] || { tail -n 12 "$log.err" >&2; passed=0 failed=1; }
	((failed == 0)) || grep '^FAILED' "$log" >&2 || true
	sed '$d' "$log"
	check_row 'matrix (cells)' "$passed" "$failed" 0
	daemon_stop switchd TERM
	daemon_stop switchsandbox TERM
}
