# shellcheck shell=bash disable=SC2034,SC2086  # part of ./xw
# The simulator: many small worlds, each from one seed; see tests/sim/README.md.

# sim_run ARGUMENT...: builds without debugging aids, then runs; the program's status is ours.
sim_run() {
	build_tree build-sim --buildtype=release
	step "sim: $*"
	exec "$RUN/build-sim/tests/sim/xw-sim" "$@"
}

# A short run for `./xw test`.
sim_row() {
	local log=$RUN/log/sim.json seeds failed
	build_tree build-sim --buildtype=release
	step 'test: simulator'
	"$RUN/build-sim/tests/sim/xw-sim" --seeds 1000 --from "${1:-1000}" --seconds 60 --json \
		>"$log" 2>"$log.err" </dev/null || true
	seeds=$(sed -n 's/.*"seeds":\([0-9]*\).*/\1/p' "$log") failed=$(sed -n 's/.*"failed":\([0-9]*\),.*/\1/p' "$log")
	[[ $seeds && $failed ]] || { tail -n 5 "$log.err" >&2; seeds=1 failed=1; }
	((failed == 0)) || tail -n 12 "$log.err" >&2
	check_row 'simulator (seeds)' $((seeds - failed)) "$failed" 0
}
