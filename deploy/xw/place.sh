# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Where a run lives, as whom, and on which ports.
#
#   $MAIN  the state folder (XW_RUN); owned by the service user, 0700, marked with the file .crosswallet
#   $RUN   the same, or for a verb that brings its own servers a folder inside it
#   $SRC   the sources: the checkout, or a copy in $RUN where the service user cannot read that
#   $SOCK  sockets: /tmp/xw-<hash>, 0700; a socket's whole path may have 107 bytes, a checkout's has more

SIDES=(test fuzz sim mutants bench matrix faults audit) # verbs with a run of their own, which never disturbs what is up
SERVICE_USER=postgres # as root; it is there once postgresql-15 is installed

hash_of() { printf %s "$1" | sha256sum | cut -c1-10; }

as_service() {
	setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_USER" --init-groups -- "$@"
}

place_find() {
	if [[ -n ${XW_TOP-} ]]; then # started again by place_enter: TOP may be the copy
		CHECKOUT=$XW_TOP
		SECONDS=$XW_SECONDS ENTERED=yes
		unset XW_TOP XW_SECONDS
	else
		CHECKOUT=$TOP
	fi
	MAIN=${XW_RUN-}
	if [[ -z $MAIN ]]; then
		MAIN=$CHECKOUT/.run
		if ((EUID == 0)) || [[ ! -w $CHECKOUT ]]; then
			MAIN=/var/tmp/crosswallet-$(hash_of "$CHECKOUT")
		fi
	fi
	MAIN=$(realpath -m -- "$MAIN")
	RUN=$MAIN
	[[ " ${SIDES[*]} " != *" $VERB "* ]] || RUN=$MAIN/$VERB
	SOCK=$(place_sock)
	SRC=$TOP
}

place_sock() { printf %s "/tmp/xw-$(hash_of "$RUN")"; }

# There is no state folder, so nothing runs.
place_nothing() {
	[[ $VERB == status ]] || exit 0
	[[ -z $JSON ]] || up_status_json
	say "nothing is up; no state in $MAIN"
	exit 1
}

# place_make DIR OWNER: the folder is ours, or new and then ours. Never somebody else's.
place_make() {
	[[ ! -L $1 ]] || die "$1 is a symbolic link"
	if [[ -e $1/.crosswallet ]]; then
		[[ $(<"$1/.crosswallet") == "$CHECKOUT" ]] ||
			die "$1 belongs to the checkout $(<"$1/.crosswallet"); set another XW_RUN"
	else
		mkdir -p -- "$1"
		[[ -z $(ls -A -- "$1") ]] || die "$1 is not empty and not ours; set another XW_RUN"
		((EUID != 0)) || chown "$2:" -- "$1"
		chmod 700 -- "$1"
	fi
	[[ $(stat -c %U -- "$1") == "$2" ]] || die "$1 belongs to another user; set another XW_RUN"
}

# Prepares the state folder; as root goes on as the service user, from a copy where that user cannot
# read the checkout. Returns only as an unprivileged user.
place_enter() {
	local user back
	umask 077
	user=$(id -un)
	((EUID != 0)) || user=$SERVICE_USER
	if ! id -u "$user" >/dev/null 2>&1; then
		[[ $VERB == exec || $VERB == psql ]] && die 'nothing is installed; ./xw up first'
		place_nothing
	fi
	if ((EUID != 0)); then
		place_make "$MAIN" "$user"
		printf %s "$CHECKOUT" >"$MAIN/.crosswallet"
		[[ $RUN == "$MAIN" ]] || mkdir -p -- "$RUN"
		place_clean_environment
		[[ $VERB == exec || $VERB == psql ]] || cd "$RUN" || exit
		return
	fi

	place_make "$MAIN" "$user"
	as_service test -w "$MAIN" -a -x "$MAIN" || {
		rmdir -- "$MAIN" 2>/dev/null
		die "the user $user cannot enter $MAIN; set XW_RUN to a folder that it can, under /var/tmp say"
	}
	printf %s "$CHECKOUT" | as_service tee -- "$MAIN/.crosswallet" >/dev/null
	as_service mkdir -p -- "$RUN/home"
	if ! as_service test -r "$TOP/meson.build" -a -x "$TOP/tests"; then
		SRC=$RUN/src
		case $VERB in build | up | test | fuzz | sim | mutants | bench | matrix | faults | audit) place_copy ;; esac
		as_service test -x "$SRC/xw" || place_copy
	fi
	if [[ $VERB != exec && $VERB != psql ]] || ! as_service test -x .; then cd /; fi
	back=(env "XW_TOP=$CHECKOUT" "XW_SECONDS=$SECONDS" "XW_RUN=$MAIN" "HOME=$RUN/home" "USER=$user" "LOGNAME=$user"
		bash "$SRC/xw" "$@")
	if [[ $VERB != clean ]]; then
		exec setpriv --reuid="$user" --regid="$user" --init-groups -- "${back[@]}"
	fi
	as_service "${back[@]}"
	rmdir -- "$MAIN"
	exit 0
}

# The sources as they are now, times kept, so that only what changed is built again.
place_copy() {
	(cd "$TOP" && tar -cf - --exclude=./.git --exclude=./.run --exclude=node_modules \
		--exclude='./build*' .) |
		as_service bash -c 'rm -rf "$1.new" && mkdir "$1.new" && tar -C "$1.new" -xpf - &&
			rm -rf "$1" && mv "$1.new" "$1"' copy "$SRC"
}

# What a caller's environment holds must not change where we connect to or what we build.
place_clean_environment() {
	local name
	for name in "${!PG@}"; do unset "$name"; done
	unset DESTDIR MAKEFLAGS CFLAGS LDFLAGS CPPFLAGS
	[[ -w ${TMPDIR-/tmp} ]] || unset TMPDIR
	export LC_ALL=C.UTF-8
}

# One verb at a time. The lock is on the folder itself: nothing to leave behind.
place_lock() {
	exec 9<"$RUN"
	flock -n 9 && return
	say "waiting for another ./xw in $RUN"
	flock 9
}

# port_taken FIRST COUNT: does anything listen there? Read from the kernel, with no tool.
port_taken() {
	awk -v first="$1" -v last="$(($1 + $2 - 1))" '
		$4 == "0A" {
			n = split($2, at, ":"); port = 0
			for (i = 1; i <= 4; i++)
				port = port * 16 + index("0123456789ABCDEF", substr(at[n], i, 1)) - 1
			if (port >= first && port <= last) found = 1
		}
		END { exit !found }' < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
}

# The lower half of a block is for `up`, the upper for a verb with servers of its own.
place_ports() {
	local base=${XW_PORT_BASE:-18400}
	[[ $base =~ ^[0-9]{4,5}$ ]] && ((base >= 1024 && base + 99 <= 65535)) || {
		say "xw: XW_PORT_BASE must be a port from 1024 to 65436, not '$base'"
		exit 2
	}
	PORT_BASE=$base
	[[ ! -r $RUN/ports ]] || PORT_BASE=$(<"$RUN/ports")
	case $VERB in test | bench | matrix | faults | audit) place_block 50 ;; esac
}

# place_block HALF: a run keeps its block while a program of it is up, else it looks for one that is free.
place_block() {
	local half=$1 line
	for line in "${PROGRAMS[@]}"; do
		! daemon_pid "${line%% *}" >/dev/null || return 0
	done
	PORT_BASE=${XW_PORT_BASE:-18400}
	while port_taken $((PORT_BASE + half)) 50; do
		[[ -z ${XW_PORT_BASE-} ]] ||
			die "something listens between $PORT_BASE and $((PORT_BASE + 99)); set another XW_PORT_BASE"
		((PORT_BASE += 100))
		((PORT_BASE < 32000)) || die 'no block of ports is free from 18400 to 32000'
	done
	echo "$PORT_BASE" >"$RUN/ports"
}

# Who made the folder removes it: its parent may be one that only root, or somebody else, writes.
place_clean() {
	cd /
	find "${MAIN:?}" -mindepth 1 -delete
	[[ -n ${ENTERED-} ]] || rmdir -- "$MAIN" 2>/dev/null ||
		say "$MAIN is empty; it was made by somebody else, who may remove it"
}
