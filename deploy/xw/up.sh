# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# Bringing a run up, taking it down, and saying what is there.

# Our daemons in the order of their start, one a line: name, port (an offset in the block) and path
# where it answers 200 once it is ready, and the file in $RUN/conf that it is run with. The sealer
# listens nowhere: it is up when it has signed; nor does the witness, who stands for somebody outside, and is
# of `up` alone.
PROGRAMS=(
	'switchd 1 /readyz switchd.yaml'
	'switchsandbox 2 /participants switchsandbox.json'
	'sealer - - -'
	'witness - - -'
)

# What listens, beside the ports above: name and offset; deploy/demo/make.sh says the same.
LISTENERS=(
	'partners 0'
	'payers 3'
	'alipayplus 10'
	'alipayplus-mpp 11'
	'vipps 12'
	'bluecode 13'
	'till-eur 14'
	'till-nok 15'
	'vipps-server 16'
	'pivo 17'
	'swish 18'
	'swish-server 19'
	'epassi 20'
	'epassi-till 21'
	'satispay 22'
	'wechatpay 23'
	'pivo-app 24'
	'pivo-web 25'
	'alipay 26'
	'bluecode-till 27'
	'pagaqui 28'
	'pagaqui-till 29'
	'pivo-till 30'
	'bancontact 31'
	'vipps-till 32'
	'momo 33'
	'aps-acquirer 34'
	'aps-wallet 35'
	'twint 36'
	'tax-refund 37'
	'momo-till 38'
)

up_all() {
	local good=0
	build_tree build
	servers_up
	backup_keep
	server_migrate "$DB"
	# Others look for a free block too: none is free for two until somebody listens there.
	exec 6</tmp
	flock 6
	place_block 0
	configure_run
	up_programs
	exec 6<&-
	demo_all || good=1
	up_audit || good=1
	up_table
	step 'up'
	((good == 0)) || say 'the demonstration payments are not as they should be; see the tables'
	[[ -z $JSON ]] || cat "$RUN/demo/demo.json"
	exit $good
}

# What an auditor would ask first.
up_audit() {
	printf '\naudit  '
	up_verify --cosigned "$RUN/witness/cosigned" --witness "$RUN/witness/state.key" | sed '2,$s/^/       /'
}

up_verify() {
	cat "$RUN/log.keys" "$RUN/sealer/checkpoints.key" 2>/dev/null >"$RUN/sealer/all.keys" || true
	"$(build_program switchaudit)" verify --key "$RUN/sealer/all.keys" --notes "$RUN/sealer/checkpoints" \
		--postgres "host=$SOCK port=5432 dbname=$DB user=auditor_ro" "$@"
}

# Keys and configuration files of this run, made anew from the ports and sockets at each start; keys
# that exist are kept.
configure_run() {
	mkdir -p "$RUN/bin"
	bash "$SRC/deploy/demo/make.sh" "$RUN" "$PORT_BASE" \
		"host=$SOCK port=5432 dbname=$DB user=switch_rw" "$SOCK/redis.sock" || die 'no configuration'
}

# What a program is started with: its binary, every file of the configuration, every key.
up_stamp() { (cd "$RUN" && find conf keys "bin/$1" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum); }

# The binary that a program is run from; sealer and witness are programs of ours with another job.
up_built() {
	case $1 in
	sealer) build_program switchd ;;
	witness) build_program switchaudit ;;
	*) build_program "$1" ;;
	esac
}

# up_start NAME CONF
up_start() {
	case $1 in
	sealer)
		mkdir -p "$RUN/sealer"
		set -- sealer seal --origin "crosswallet.demo/$(basename -- "$SOCK")$(cat "$RUN/log.name" 2>/dev/null)" --key "$RUN/keys/log.pem" --notes \
			"$RUN/sealer/checkpoints" --postgres "host=$SOCK port=5432 dbname=$DB user=sealer"
		;;
	witness)
		mkdir -p "$RUN/witness"
		set -- witness witness --state "$RUN/witness/state" --secret "$RUN/keys/witness.pem" --name crosswallet.demo/witness \
			--key "$RUN/sealer/checkpoints.key" --out "$RUN/witness/cosigned" --every 10 \
			--postgres "host=$SOCK port=5432 dbname=$DB user=auditor_ro"
		;;
	*) set -- "$1" --conf "$RUN/conf/$2" ;;
	esac
	daemon_start "$1" "$RUN/bin/$1" "$RUN/bin/$1" "${@:2}"
}

# up_ready NAME OFFSET PATH
up_ready() {
	case $1 in
	sealer) [[ -s $RUN/sealer/checkpoints ]] ;;
	witness) [[ -s $RUN/witness/cosigned ]] ;;
	*) up_answers $((PORT_BASE + $2)) "$3" ;;
	esac
}

# Starts what does not run, and starts again what was built or configured anew since.
up_programs() {
	local line name offset path conf built
	for line in "${PROGRAMS[@]}"; do
		read -r name offset path conf <<<"$line"
		[[ $name != witness || $VERB == up ]] || continue
		built=$(up_built "$name")
		[[ -n $built ]] || die "$name was not built"
		if ! cmp -s "$built" "$RUN/bin/$name"; then
			daemon_stop "$name" TERM
			install -m 700 "$built" "$RUN/bin/$name"
		fi
		daemon_pid "$name" >/dev/null && [[ $(up_stamp "$name") == "$(cat "$RUN/pid/$name.stamp" 2>/dev/null)" ]] || {
			daemon_stop "$name" TERM
			up_stamp "$name" >"$RUN/pid/$name.stamp"
			up_start "$name" "$conf"
		}
		daemon_wait "$name" 30 up_ready "$name" "$offset" "$path" || die "no $name"
	done
}

# up_answers PORT PATH: 200 to a GET, with nothing but the shell.
up_answers() (
	exec 7<>"/dev/tcp/127.0.0.1/$1" || exit 1
	printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&7
	read -r -t 2 status <&7 || exit 1
	[[ $status == 'HTTP/1.1 200 '* ]]
)

# This run, and what a killed run at its side left; one that is busy is let alone.
up_down() {
	local side
	daemon_down
	for side in "${SIDES[@]}"; do
		[[ -d $MAIN/$side ]] || continue
		exec 8<"$MAIN/$side"
		if flock -n 8; then
			(RUN=$MAIN/$side && SOCK=$(place_sock) && daemon_down && daemon_down_below)
		elif [[ $VERB == clean ]]; then
			die "a ./xw $side runs here; clean when it has ended"
		fi
	done
	step 'down'
}

up_names() {
	local line
	printf '%s\n' pg redis
	for line in "${PROGRAMS[@]}"; do printf '%s\n' "${line%% *}"; done
}

# name, state, pid, where; exit status 0 only when all is up.
up_table() {
	local name pid where line all=0
	printf '%-14s %-6s %-8s %s\n' program state pid where
	for name in $(up_names); do
		case $name in
		pg) where="$SOCK, database $DB" ;;
		redis) where=$SOCK/redis.sock ;;
		sealer) where=$RUN/sealer/checkpoints ;;
		witness) where=$RUN/witness/cosigned ;;
		*) where=$(up_address "$name") ;;
		esac
		if pid=$(daemon_pid "$name"); then
			printf '%-14s %-6s %-8s %s\n' "$name" up "$pid" "$where"
		else
			printf '%-14s %-6s %-8s %s\n' "$name" down - "$where"
			all=1
		fi
	done
	printf '\nlistens on'
	for line in "${LISTENERS[@]}"; do printf '  %s %s' "${line% *}" "$(up_address "${line% *}")"; done
	printf '\nstate  %s\nlogs   %s\nkeys   %s\nports  %s to %s\n' "$RUN" "$RUN/log" "$RUN/keys" \
		"$PORT_BASE" "$((PORT_BASE + 49))"
	return $all
}

# The address of a program or listener: 127.0.0.1 and its port.
up_address() {
	local line name offset
	for line in "${PROGRAMS[@]}" "${LISTENERS[@]}"; do
		read -r name offset _ <<<"$line"
		[[ $name != "$1" ]] || printf '127.0.0.1:%s' $((PORT_BASE + offset))
	done
}

up_status() {
	local all=0
	up_table || all=1
	[[ -z $JSON ]] || up_status_json
	exit $all
}

up_status_json() {
	local name pid line programs=() listeners=() pids=() roles=()
	for name in $(up_names); do
		case $name in pg | redis) ;; *) programs+=("$name" "$RUN/bin/$name") ;; esac
		! pid=$(daemon_pid "$name") || pids+=("$name" "$pid")
	done
	for line in "${PROGRAMS[@]}" "${LISTENERS[@]}"; do
		[[ $line != *' - '* ]] || continue
		listeners+=("${line%% *}" "$(up_address "${line%% *}")")
	done
	! daemon_pid pg >/dev/null || mapfile -t roles < <(server_sql -At -d "$DB" \
		-c 'select rolname from pg_roles where rolcanlogin order by 1' 2>/dev/null)
	printf '{"programs":%s,"listeners":%s,' "$(json_map "${programs[@]}")" "$(json_map "${listeners[@]}")"
	printf '"pg":{"host":%s,"db":%s,"roles":%s},' "$(json_str "$SOCK")" "$(json_str "$DB")" \
		"$(json_list "${roles[@]}")"
	printf '"redis":%s,"keys":%s,' "$(json_str "$SOCK/redis.sock")" "$(json_str "$RUN/keys")"
	printf '"pids":{'
	local i sep=
	for ((i = 0; i < ${#pids[@]}; i += 2)); do
		printf '%s"%s":%s' "$sep" "${pids[i]}" "${pids[i + 1]}"
		sep=,
	done
	printf '}}\n'
}
