#!/usr/bin/env bash
# Every play that is written for Node: real switchd, real Postgres and Redis of the run around it, the partners' fakes, and
# libraries from npm as the independent other side.
#
#   plays.sh SOURCES RUN     (from deploy/xw/check.sh; its environment names servers and ports)
#
# Prints a TAP line for each test. Three files run at a time: they mostly wait. Must leave no process behind: each file's
# worlds die with it.
set -uo pipefail
SOURCES=$1 RUN=$2
DIR=$RUN/play
export XW_SOURCE=$SOURCES XW_PLAY=$RUN/tmp/play XW_PSQL
export XW_SWITCHD=$RUN/build/switch/app/switchd XW_SWITCHSANDBOX=$RUN/build/switch/sandbox/switchsandbox
export XW_SWITCHCTL=$RUN/build/switch/ctl/switchctl
export XW_SWITCHAUDIT=$RUN/build/switch/audit/switchaudit
export SWITCHSANDBOX=$XW_SWITCHSANDBOX TEST_GOLDEN=$RUN/build/tests/unit/test_golden REDOCLY_TELEMETRY=off
XW_PSQL=$(command -v psql)

FIRST=(corridor-a corridor-b corridor-c)
FILES=("${FIRST[@]}")
for file in "$SOURCES"/tests/play/*.test.mjs; do
	name=$(basename "$file" .test.mjs)
	[[ " ${FIRST[*]} " == *" $name "* ]] || FILES+=("$name")
done

# No Node, or no way to the packages: said, and counted once for each file.
skip() {
	for name in "${FILES[@]}"; do echo "ok - $name # SKIP $*"; done
	exit 0
}
for command in node npm; do command -v $command >/dev/null || skip "$command is not installed"; done
major=$(node -p 'process.versions.node.split(".")[0]')
((major >= 18)) || skip "node $major is too old"

# The folder is a copy: nothing is installed into the sources.
mkdir -p "$DIR" "$XW_PLAY"
rm -rf "${DIR:?}"/*.mjs "${DIR:?}/lib"
cp -R "$SOURCES"/tests/play/{*.mjs,lib,package.json,package-lock.json,.npmrc} "$DIR/" || exit
cd "$DIR" || exit
stamp=$(sha256sum <package-lock.json)
if [[ $(cat node_modules/.stamp 2>/dev/null) != "$stamp" ]]; then
	npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1 || {
		sed 's/^/# /' npm.log
		skip 'the packages cannot be had'
	}
	echo "$stamp" >node_modules/.stamp
fi

# A lane is ten ports; it is free again when the file's process has ended, however that was.
one() {
	local lane fd
	for lane in 0 1 2 3 4; do
		exec {fd}>"lane.$lane" && flock -n "$fd" && break
	done
	export XW_PLAY_LANE=$lane
	timeout -k 10 300 node --test-reporter="$DIR/lib/flat.mjs" --test-reporter-destination=stdout "$1.test.mjs" >"$1.tap" 2>"$1.err"
	status=$?
	# A file that ended badly is a failure, whatever it printed before.
	((status == 0)) || grep -q '^not ok' "$1.tap" || echo "not ok - $1 ended with $status" >>"$1.tap"
	grep -qE '^(not )?ok' "$1.tap" || { echo "not ok - $1 ran no test" >>"$1.tap"; sed 's/^/# /' "$1.err" >>"$1.tap"; }
}

for name in "${FILES[@]}"; do
	while (($(jobs -rp | wc -l) >= 3)); do wait -n; done
	one "$name" &
done
wait
for name in "${FILES[@]}"; do
	echo "# $name"
	cat "$name.tap"
done
exit 0
