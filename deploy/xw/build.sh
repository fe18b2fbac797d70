# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Building, and running what was built.

BUILD_ONLY=()

# build_tree NAME MESON-OPTION...: $RUN/NAME, configured once and brought up to date: all of it, or the
# programs of BUILD_ONLY.
build_tree() {
	local name=$1 dir=$RUN/$1 log=$RUN/log/$1.log
	shift
	mkdir -p "$RUN/log"
	if [[ ! -f $dir/build.ninja || $(cat "$dir/.sources" 2>/dev/null) != "$SRC" ]]; then
		step "build: configure $name"
		rm -rf "$dir"
		build_log "$log" meson setup "$@" "$dir" "$SRC" || die 'meson could not configure; see above'
		printf %s "$SRC" >"$dir/.sources"
	fi
	step "build: $name"
	if [[ -t 2 ]]; then
		ninja -j "$(nproc)" -C "$dir" "${BUILD_ONLY[@]}" >&2
	else
		build_log "$log" ninja -j "$(nproc)" -C "$dir" "${BUILD_ONLY[@]}"
	fi || die "the build failed; see above, and $dir/meson-logs"
}

# Quiet, but all of it is said when the command fails.
build_log() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		grep -vE '^\[[0-9]+/[0-9]+\] (Compiling|Linking|Generating)' "$log" | tail -n 60 >&2
		return 1
	}
}

# The path of a built program.
build_program() {
	find -H "$RUN/build" -type f -name "$1" -perm -u+x ! -name '*.p' -print -quit 2>/dev/null
}

build_exec() {
	local program
	program=$(build_program "$1")
	[[ -n $program ]] || die "no program '$1' was built; ./xw build first"
	shift
	server_environment
	exec "$program" "$@"
}
