# shellcheck shell=bash disable=SC2034,SC2086  # part of ./xw
# Every fuzz target for a while, driven by clang's engine under the sanitizers.
#
# The corpus in the tree is read, never written: what the engine learns stays in the state folder
# and is the start of the next run; what broke a target is named.

# fuzz_targets SECONDS: shared among the targets, at least one second each.
fuzz_targets() {
	local target name share passed=0 failed=0 targets=()
	# The warnings that count are gcc's.
	CC=clang build_tree build-fuzz -Dwerror=false -Dfuzz=true -Db_sanitize=address,undefined \
		-Db_lundef=false
	for target in "$RUN"/build-fuzz/tests/fuzz/fuzz_*; do
		[[ ! -f $target || ! -x $target ]] || targets+=("$target")
	done
	((${#targets[@]} > 0)) || die 'there is no fuzz target'
	share=$(($1 / ${#targets[@]}))
	((share > 0)) || share=1
	step "fuzz: ${#targets[@]} targets, $share seconds each"
	for target in "${targets[@]}"; do
		name=${target##*/fuzz_}
		if fuzz_target "$target" "$name" "$share"; then
			((++passed))
		else
			((++failed))
			say "failed: fuzz $name; the input is in $RUN/found, the report in $RUN/log/fuzz-$name.log"
			grep -m 3 -E 'ERROR|runtime error|check failed|SUMMARY' "$RUN/log/fuzz-$name.log" >&2 || true
		fi
	done
	check_row 'fuzz targets' "$passed" "$failed" 0
}

# fuzz_target PROGRAM NAME SECONDS
fuzz_target() {
	mkdir -p "$RUN/corpus/$2" "$RUN/found"
	ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		timeout -k 5 $(($3 + 60)) "$1" -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 \
		-max_len=65536 -artifact_prefix="$RUN/found/$2-" -print_final_stats=1 \
		"$RUN/corpus/$2" "$SRC/tests/fuzz/corpus/$2" >"$RUN/log/fuzz-$2.log" 2>&1 </dev/null
}
