# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# A base backup with the server's log after it, in a folder elsewhere; and back to any moment of that.
#
# The hard thing is what a restored ledger does not know: payments that were made after that moment are
# real. So the fakes, who stand for the partners, are let run, and what they and the checkpoints that left
# the house hold beyond the ledger is named before anything goes on. The log goes on under another name,
# since under its own it has signed what is not there any more; the cache is emptied.

# backup_run DIR: the first time the server's log is kept there from then on, as long as the run is up; each
# time another base backup is added.
backup_run() {
	local dir=$1 base=base-$(date -u +%Y%m%dT%H%M%SZ)
	daemon_pid pg >/dev/null || die 'postgres is not up; ./xw up first'
	[[ -e $dir/.crosswallet-backup || ! -e $dir || -z $(ls -A -- "$dir") ]] || die "$dir is not empty and no backup"
	mkdir -p -- "$dir/log" && : >"$dir/.crosswallet-backup" || die "$dir cannot be written"
	printf %s "$dir" >"$RUN/backup"
	backup_keep
	step "backup: $dir/$base"
	"$(server_pg_bin)/pg_basebackup" -h "$SOCK" -U postgres -D "$dir/$base.tmp" -X none -c fast --no-slot \
		>"$RUN/log/backup.log" 2>&1 </dev/null || { tail -n 5 "$RUN/log/backup.log" >&2; die 'pg_basebackup failed'; }
	backup_reaches "$(server_sql -At -d postgres -c 'select pg_walfile_name(pg_switch_wal())')"
	"$(server_pg_bin)/pg_verifybackup" -q -w "$dir/log" "$dir/$base.tmp" >>"$RUN/log/backup.log" 2>&1 </dev/null ||
		{ tail -n 5 "$RUN/log/backup.log" >&2; die 'the backup does not verify'; }
	mv -- "$dir/$base.tmp" "$dir/$base"
	say "$dir/$base; the log after it is kept in $dir/log"
}

# Keeps the server's log where $RUN/backup says; the slot makes the server wait for us over restarts.
backup_keep() {
	[[ -s $RUN/backup ]] || return 0
	! daemon_pid archive >/dev/null || return 0
	server_sql -d postgres -c "select pg_create_physical_replication_slot('archive', true)
		where not exists (select from pg_replication_slots where slot_name = 'archive')" >/dev/null
	daemon_start archive "$(server_pg_bin)/pg_receivewal" "$(server_pg_bin)/pg_receivewal" -h "$SOCK" -U postgres \
		-D "$(<"$RUN/backup")/log" --slot archive --synchronous
	daemon_wait archive 20 backup_streams || die 'the log is not kept'
}

backup_streams() {
	[[ $(server_sql -At -d postgres -c "select active from pg_replication_slots where slot_name = 'archive'") == t ]]
}

# backup_reaches SEGMENT: until it is whole in the archive.
backup_reaches() {
	local until=$((SECONDS + 30))
	until [[ -e $(<"$RUN/backup")/log/$1 ]]; do
		((SECONDS < until)) || die "$1 does not come into $(<"$RUN/backup")/log"
		sleep 0.2
	done
}

# The newest base backup that ended before a moment; any where none is given.
backup_base() {
	local dir=$1 to=${2-} base found=
	for base in "$dir"/base-*Z; do
		[[ -d $base ]] || continue
		[[ -n $to && ${base##*/base-} > $(date -u -d "$to" +%Y%m%dT%H%M%SZ) ]] || found=$base
	done
	[[ -n $found ]] || die "$dir has no base backup from before that"
	printf %s "$found"
}

# restore_run DIR [TIME]
restore_run() {
	local dir=$1 to=${2-} base mark=$(date -u +%Y%m%dT%H%M%SZ) name
	[[ -e $dir/.crosswallet-backup ]] || die "$dir is no backup"
	[[ -z $to ]] || date -u -d "$to" >/dev/null 2>&1 || die "$to is no time"
	base=$(backup_base "$dir" "$to")
	for name in switchd sealer witness archive redis; do daemon_stop "$name" TERM; done
	daemon_stop pg INT
	step "restore: $base${to:+ to $to}"
	rm -rf "$RUN/pg.tmp"
	cp -a -- "$base" "$RUN/pg.tmp"
	{
		printf "restore_command = 'cp \"%s/log/%%f\" \"%%p\" 2>/dev/null || cp \"%s/log/%%f.partial\" \"%%p\"'\n" "$dir" "$dir"
		printf "recovery_target_timeline = 'current'\nrecovery_target_action = 'promote'\n"
		[[ -z $to ]] || printf "recovery_target_time = '%s'\n" "$(date -u -d "$to" '+%F %T.%N+00')"
	} >>"$RUN/pg.tmp/postgresql.auto.conf"
	: >"$RUN/pg.tmp/recovery.signal"
	mv "$RUN/pg" "$RUN/pg.$mark" && mv "$RUN/pg.tmp" "$RUN/pg"
	if ! (server_pg && backup_recovered); then
		daemon_stop pg INT
		rm -rf "$RUN/pg" && mv "$RUN/pg.$mark" "$RUN/pg"
		server_pg
		die "the log in $dir does not reach that moment; the ledger is as it was. ./xw up goes on"
	fi
	sed -i '/^restore_command\|^recovery_target/d' "$RUN/pg/postgresql.auto.conf"
	rm -rf "$RUN/redis/"* "$RUN/backup"
	restore_tell || say 'not all of what lies behind it could be told; see above'
	restore_rename "$mark"
	say "the ledger before that is in $RUN/pg.$mark; ./xw up goes on, ./xw backup begins another backup"
}

backup_recovered() {
	local until=$((SECONDS + 600))
	until [[ $(server_sql -At -d postgres -c 'select pg_is_in_recovery()') == f ]]; do
		((SECONDS < until)) && daemon_pid pg >/dev/null || return 1
		sleep 0.2
	done
}

# What lies behind it: by the checkpoints that left the house, and by the partners' own books.
restore_tell() {
	local last=$(server_sql -At -d "$DB" -c 'select max(at) from ledger.step')
	say "the ledger's last step was at $last"
	printf '\nby the checkpoints  '
	up_verify || true # a checkpoint that no longer fits is what it is to say
	daemon_pid switchsandbox >/dev/null || { say 'no partner runs here to be compared with'; return; }
	mkdir -p "$RUN/demo"
	demo_books >"$RUN/demo/books"
	printf '\nby the partners: payments that are not ours any more, or not as they have them\n'
	server_sql -d "$DB" -v books="$RUN/demo/books" -v since="$(date -u -d "@$(demo_since)" +%FT%TZ)" \
		-f "$SRC/deploy/xw/behind.sql"
}

# What the log has signed stays signed: it goes on under another name, and so does who witnesses it.
restore_rename() {
	local name
	cat "$RUN/sealer/checkpoints.key" >>"$RUN/log.keys"
	for name in sealer witness; do [[ ! -d $RUN/$name ]] || mv "$RUN/$name" "$RUN/$name.$1"; done
	printf %s ".$1" >"$RUN/log.name"
}
