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

# worlds_row TITLE PROGRAM SEEDS FROM [--coverage]: all of them are run, or the row fails; and with
# coverage a row of its own for what the worlds must have met, of which the matrix is shown.
worlds_row() {
	local log=$RUN/log/$(basename "$(dirname "$(dirname "$(dirname "$2")")")").json ran failed rate cells empty
	step "test: $1"
	ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		"$2" --seeds "$3" --from "$4" ${5-} --jobs "$(nproc)" --json >"$log" 2>"$log.err" </dev/null || true
	ran=$(sed -n 's/.*"seeds":\([0-9]*\).*/\1/p' "$log") failed=$(sed -n 's/.*"failed":\([0-9]*\),.*/\1/p' "$log")
	rate=$(sed -n 's/.*"seeds_per_minute":\([0-9]*\).*/\1/p' "$log")
	[[ $ran && $failed ]] || { tail -n 5 "$log.err" >&2; ran=0 failed=0; }
	((failed == 0)) || tail -n 24 "$log.err" >&2
	step "test: $ran seeds, ${rate:-0} a minute"
	check_row "$1" $((ran - failed)) $(($3 - ran + failed)) 0
	[[ ${5-} ]] || return 0
	cells=$(sed -n 's/.*"cells":\([0-9]*\).*/\1/p' "$log") empty=$(sed -n 's/.*"empty":\([0-9]*\).*/\1/p' "$log")
	[[ $cells && $empty && $cells != 0 ]] || cells=1 empty=1
	grep -v '^{' "$log" >&2 || true
	check_row "states by events, met in $3 seeds" $((cells - empty)) "$empty" 0
}

# For `./xw test`: many worlds, and fewer of them under the sanitizers of the tree that check_all has built.
sim_row() {
	build_tree build-sim --buildtype=release
	worlds_row 'simulator (seeds)' "$RUN/build-sim/tests/sim/xw-sim" 10000 1000 --coverage
	worlds_row 'simulator under sanitizers (seeds)' "$RUN/build-asan/tests/sim/xw-sim" 2000 50000
}

# Same seed, same trace, whoever compiled it.
digest_row() {
	local gcc clang seeds=200
	BUILD_ONLY=(tests/sim/xw-sim)
	CC=clang build_tree build-clang --buildtype=release -Dwerror=false
	BUILD_ONLY=()
	step 'test: traces of gcc and clang'
	gcc=$(digest_of build-sim "$seeds") clang=$(digest_of build-clang "$seeds")
	if [[ $gcc && $gcc == "$clang" ]]; then
		check_row 'the same trace by clang (seeds)' "$seeds" 0 0
	else
		say "digests: gcc ${gcc:-none}, clang ${clang:-none}"
		check_row 'the same trace by clang (seeds)' 0 "$seeds" 0
	fi
}

# digest_of BUILD SEEDS
digest_of() {
	"$RUN/$1/tests/sim/xw-sim" --seeds "$2" --jobs "$(nproc)" --json 2>/dev/null </dev/null |
		sed -n 's/.*"digest":"\([0-9a-f]*\)".*/\1/p'
}

# A world that fails by a bug on purpose is made smaller, and the command that is printed shows the same failure.
shrink_row() {
	local sim=$RUN/build-mutants/tests/sim/xw-sim log=$RUN/log/shrink bug=not-found-once command was is
	step 'test: a failing world is made smaller'
	"$sim" --mutant "$bug" --seeds 60 >/dev/null 2>"$log" </dev/null || true
	command=$(awk '/^smaller/ { getline; print; exit }' "$log")
	was=$(sed -n 's/^seed [0-9]*: \(invariant [0-9]*\).*/\1/p' "$log" | head -n 1)
	"$sim" --mutant "$bug" ${command#*./xw sim} >/dev/null 2>"$log.again" </dev/null || true
	is=$(sed -n 's/^seed [0-9]*: \(invariant [0-9]*\).*/\1/p' "$log.again" | head -n 1)
	if [[ $command == *--without* && $was && $is == "$was" ]]; then
		check_row 'a failing world made smaller' 1 0 0
	else
		tail -n 5 "$log" "$log.again" >&2
		check_row 'a failing world made smaller' 0 1 0
	fi
}
