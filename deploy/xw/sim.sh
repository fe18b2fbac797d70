# shellcheck shell=bash disable=SC2034,SC2086  # part of ./xw
# The simulator: many small worlds, each from one seed; see tests/sim/README.md.

# sim_run ARGUMENT...: builds without debugging aids, then runs; the program's status is ours.
sim_run() {
	build_tree build-sim --buildtype=release
	step "sim: $*"
	exec "$RUN/build-sim/tests/sim/xw-sim" --jobs "$(nproc)" "$@"
}

# A fault at each effect of each flow, for `./xw test`.
sweep_row() {
	local log=$RUN/log/sweep.json points failed
	step 'test: crash-point sweep'
	"$RUN/build-sim/tests/sim/xw-sim" --sweep --jobs "$(nproc)" --json >"$log" 2>"$log.err" </dev/null || true
	points=$(sed -n 's/.*"points":\([0-9]*\).*/\1/p' "$log") failed=$(sed -n 's/.*"failed":\([0-9]*\).*/\1/p' "$log")
	[[ $points && $failed ]] || { tail -n 5 "$log.err" >&2; points=1 failed=1; }
	((failed == 0)) || tail -n 12 "$log.err" >&2
	check_row 'crash-point sweep (points)' $((points - failed)) "$failed" 0
}

# Only the simulator can be linked in such a build: no other program says which bug is in force.
mutants_build() {
	BUILD_ONLY=(tests/sim/xw-sim)
	build_tree build-mutants --buildtype=release -Dmutants=true
	BUILD_ONLY=()
}

mutants_run() {
	mutants_build
	step "mutants: each by at most 5000 worlds"
	exec "$RUN/build-mutants/tests/sim/xw-sim" --mutants --seeds 5000 --jobs "$(nproc)" "$@"
}

# For `./xw test`: by the first worlds that find each.
mutants_row() {
	local log=$RUN/log/mutants.json all alive
	mutants_build
	step 'test: mutants'
	"$RUN/build-mutants/tests/sim/xw-sim" --mutants --seeds 300 --jobs "$(nproc)" --json >"$log" 2>"$log.err" </dev/null || true
	all=$(grep -o '"name"' "$log" | wc -l) alive=$(sed -n 's/.*"survived":\([0-9]*\).*/\1/p' "$log")
	[[ $all != 0 && $alive ]] || { tail -n 5 "$log.err" >&2; all=1 alive=1; }
	((alive == 0)) || grep -o '"name":"[^"]*","killed":false' "$log" >&2
	check_row 'mutants (killed)' $((all - alive)) "$alive" 0
}

# A short run for `./xw test`.
sim_row() {
	local log=$RUN/log/sim.json seeds failed
	build_tree build-sim --buildtype=release
	step 'test: simulator'
	"$RUN/build-sim/tests/sim/xw-sim" --seeds 1000 --from "${1:-1000}" --seconds 60 --jobs "$(nproc)" --json \
		>"$log" 2>"$log.err" </dev/null || true
	seeds=$(sed -n 's/.*"seeds":\([0-9]*\).*/\1/p' "$log") failed=$(sed -n 's/.*"failed":\([0-9]*\),.*/\1/p' "$log")
	[[ $seeds && $failed ]] || { tail -n 5 "$log.err" >&2; seeds=1 failed=1; }
	((failed == 0)) || tail -n 12 "$log.err" >&2
	check_row 'simulator (seeds)' $((seeds - failed)) "$failed" 0
}
