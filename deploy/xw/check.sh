# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# `./xw test`: every test, on servers, state and ports of its own ($RUN is MAIN/test).
#
# Each part leaves a log that tests/tally.py counts; the last line is the sum.

check_all() {
	trap check_stop EXIT
	PASSED=0 FAILED=0 SKIPPED=0
	check_stop # what a killed run left
	rm -rf "$RUN/pg" "$RUN/redis" "$RUN/tmp"
	mkdir -p "$RUN/log" "$RUN/tmp"
	export TMPDIR=$RUN/tmp
	build_tree build
	build_tree build-asan -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debug \
		-Doptimization=1
	servers_up
	server_migrate "$DB"
	server_migrate xw_tmpl # tests clone it; nobody ever connects to it
	server_environment
	[[ ! -r $CHECKOUT/../shared/specs ]] || XW_SPECS=$(realpath "$CHECKOUT/../shared/specs")
	export XW_SPECS=${XW_SPECS-}

	check_meson 'unit, taste, golden, corpus' build
	check_meson 'the same under sanitizers' build-asan --no-suite taste
	sim_row
	digest_row
	sweep_row
	mutants_row
	shrink_row
	fuzz_targets 30
	bench_row
	faults_short
	matrix_row
	audit_row 100000
	check_script 'rights in the database' tests/rights/run.sh
	check_script 'plays' tests/play/plays.sh
	check_script 'the entry script' tests/play/entry.sh

	check_stop
	trap - EXIT
	rm -rf "$RUN/tmp"
	check_end
}

# The sum as the last line, and the exit status.
check_end() {
	step 'done'
	printf '%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
	((FAILED == 0)) || exit 1
	((PASSED > 0)) || exit 3
	exit 0
}

# `./xw fuzz`.
check_fuzz() {
	PASSED=0 FAILED=0 SKIPPED=0
	fuzz_targets "$1"
	check_end
}

check_stop() { daemon_down && daemon_down_below; }

# check_meson TITLE BUILD OPTION...: what meson knows as tests.
check_meson() {
	local title=$1 dir=$RUN/$2 log
	shift 2
	step "test: $title"
	log=$dir/meson-logs/testlog.json
	rm -f "$log"
	ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		meson test -C "$dir" --no-rebuild --print-errorlogs "$@" >"$RUN/log/test.log" 2>&1 </dev/null ||
		tail -n 120 "$RUN/log/test.log" >&2
	[[ -s $log ]] || die "meson ran no test; see $RUN/log/test.log"
	check_count "$title" meson "$log"
}

# check_script TITLE FILE: a script that prints TAP.
check_script() {
	local log=$RUN/log/$(basename "$2").tap
	step "test: $1"
	bash "$SRC/$2" "$SRC" "$RUN" >"$log" 2>"$log.err" </dev/null || echo "not ok - $2 ended with $?" >>"$log"
	check_count "$1" tap "$log"
}

check_count() {
	local passed failed skipped
	read -r passed failed skipped < <(python3 -B "$SRC/tests/tally.py" "$2" "$3") ||
		die "$3 cannot be counted"
	check_row "$1" "$passed" "$failed" "$skipped"
}

# check_row TITLE PASSED FAILED SKIPPED
check_row() {
	printf '%-34s %5d passed %5d failed %5d skipped\n' "$@"
	((PASSED += $2, FAILED += $3, SKIPPED += $4, 1))
}
