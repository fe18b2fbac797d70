# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Starting, finding and stopping processes that outlive the script.
#
# A process is ours when its binary is the expected one *and* its working folder is $RUN/<name>: a
# PID file alone proves nothing, since numbers are used again and another copy runs the same
# binaries. Every daemon is started with that folder as its own.

# The binary of a daemon, as /proc shows it.
daemon_binary() {
	case $1 in
	pg) readlink -f -- "$(server_pg_bin)/postgres" ;;
	redis) server_redis_bin ;;
	nginx-*) hop_binary ;;
	archive) readlink -f -- "$(server_pg_bin)/pg_receivewal" ;;
	*) printf %s "$RUN/bin/$1" ;;
	esac
}

# daemon_is NAME PID. Whoever holds a key of the log hides its memory from processes of the same user, and
# with it all that these links say; the first word of its command line is left, a path in $RUN.
daemon_is() {
	local exe cwd
	case $1 in
	sealer | witness)
		IFS= read -r -d '' exe 2>/dev/null <"/proc/$2/cmdline" && [[ $exe == "$RUN/bin/$1" ]]
		return
		;;
	esac
	exe=$(readlink "/proc/$2/exe" 2>/dev/null) && cwd=$(readlink "/proc/$2/cwd" 2>/dev/null) &&
		[[ ${exe% (deleted)} == "$(daemon_binary "$1")" && ${cwd% (deleted)} == "$RUN/$1" ]]
}

# Prints the PID of a daemon that runs.
daemon_pid() {
	local pid
	[[ -r $RUN/pid/$1 ]] && pid=$(<"$RUN/pid/$1") && [[ $pid =~ ^[0-9]+$ ]] &&
		daemon_is "$1" "$pid" && echo "$pid"
}

# Every process of that name in this run, whatever the PID file says: children, and what a kill -9
# of the parent left.
daemon_strays() {
	local at
	for at in /proc/[0-9]*; do
		case $1 in sealer | witness) ;; *) [[ -O $at ]] || continue ;; esac
		! daemon_is "$1" "${at#/proc/}" 2>/dev/null || echo "${at#/proc/}"
	done
}

# daemon_start NAME ARGV0 BINARY ARG...: in a session of its own, with no terminal, no pipe and no
# descriptor of ours: a daemon that inherits a pipe hangs `./xw up | tail`.
daemon_start() {
	local name=$1 title=$2 at fd
	shift 2
	mkdir -p "$RUN/$name" "$RUN/log" "$RUN/pid"
	(
		cd "$RUN/$name" || exit
		for at in /proc/self/fd/*; do
			fd=${at##*/}
			((fd <= 2 || fd == 255)) || eval "exec $fd>&-"
		done
		# shellcheck disable=SC2016
		exec setsid --fork bash -c 'echo $$ >"$1"; title=$2; shift 2; exec -a "$title" "$@"' \
			start "$RUN/pid/$name" "$title" "$@"
	) </dev/null >>"$RUN/log/$name.log" 2>&1
}

# daemon_wait NAME SECONDS COMMAND...: until the command succeeds; early end if the process ends.
daemon_wait() {
	local name=$1 until=$((SECONDS + $2)) born=$((SECONDS + 2))
	shift 2
	# It must live itself: on a port that it could not get, somebody else answers.
	until "$@" >/dev/null 2>&1 </dev/null && daemon_pid "$name" >/dev/null; do
		if ((SECONDS > until)) || { ((SECONDS > born)) && ! daemon_pid "$name" >/dev/null; }; then
			say "$name did not start; the end of $RUN/log/$name.log:"
			tail -n 15 "$RUN/log/$name.log" >&2
			return 1
		fi
		sleep 0.05
	done
}

# daemon_stop NAME SIGNAL: politely, then by force, with whatever it left.
daemon_stop() {
	local name=$1 signal=$2 pid rest until
	if pid=$(daemon_pid "$name"); then
		kill -s "$signal" "$pid" 2>/dev/null || true
		until=$((SECONDS + 30))
		while daemon_is "$name" "$pid" && ((SECONDS < until)); do sleep 0.05; done
	fi
	for signal in TERM KILL; do
		until=$((SECONDS + 5))
		rest=$(daemon_strays "$name")
		# shellcheck disable=SC2086  # numbers, one a word
		[[ -z $rest ]] || kill -s "$signal" $rest 2>/dev/null || true
		while [[ -n $rest ]] && ((SECONDS < until)); do
			sleep 0.05
			rest=$(daemon_strays "$name")
		done
	done
	[[ -z $rest ]] || die "$name does not end: process" $rest
	rm -f "$RUN/pid/$name"
}

# Everything of this run: programs in the reverse order of their start, then the servers.
daemon_down() {
	local i
	for ((i = ${#PROGRAMS[@]} - 1; i >= 0; i--)); do
		daemon_stop "${PROGRAMS[i]%% *}" TERM
	done
	daemon_stop proxy TERM # of the fault matrix
	hop_stop
	daemon_stop archive TERM
	daemon_stop redis TERM
	daemon_stop pg INT
	[[ ! -d $SOCK || ! -O $SOCK ]] || rm -rf -- "$SOCK"
}

# The runs that lie inside this one: those that a play made and did not live to stop.
daemon_down_below() {
	local marker
	while IFS= read -r -d '' marker; do
		(RUN=${marker%/*} && SOCK=$(place_sock) && daemon_down)
	done < <(find "$RUN" -mindepth 2 -maxdepth 4 -name .crosswallet -print0)
}
