# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# A private Postgres and a private Redis, on Unix sockets only, and the migrations.
#
# Whoever can enter $SOCK (0700: the service user, and root) may connect as any role; there is no
# password to keep. Production is another matter: see schema/README.md for the roles.

DB=crosswallet

server_pg_bin() {
	local dir
	for dir in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
		[[ ! -x $dir/postgres ]] || { printf %s "$dir"; return; }
	done
	dir=$(command -v postgres) || return 1
	dirname -- "$(readlink -f -- "$dir")"
}

# redis-tools holds the server under another name: the binary looks at the name it is called by.
server_redis_bin() {
	local name
	for name in redis-server redis-check-rdb; do
		! name=$(command -v "$name") || { readlink -f -- "$name"; return; }
	done
	return 1
}

server_sockets() {
	[[ ! -L $SOCK ]] || die "$SOCK is a symbolic link"
	[[ -d $SOCK ]] || mkdir -m 700 "$SOCK"
	[[ -O $SOCK && $(stat -c %a "$SOCK") == 700 ]] || die "$SOCK is not ours alone"
}

server_pg() {
	local bin
	bin=$(server_pg_bin)
	if [[ ! -d $RUN/pg ]]; then
		step 'postgres: new data folder'
		# Into another name first: an interrupted run repeats cleanly.
		rm -rf "$RUN/pg.tmp"
		"$bin/initdb" -D "$RUN/pg.tmp" -U postgres -A trust --data-checksums -E UTF8 \
			--locale=C.UTF-8 --no-instructions >"$RUN/log/initdb.log" 2>&1 </dev/null ||
			{ tail -n 5 "$RUN/log/initdb.log" >&2; die 'initdb failed'; }
		mv "$RUN/pg.tmp" "$RUN/pg"
	fi
	daemon_pid pg >/dev/null || {
		daemon_stop pg INT # children of a server that was killed hold its memory
		server_stale_lock "$RUN/pg/postmaster.pid"
		server_stale_lock "$SOCK/.s.PGSQL.5432.lock"
		cp "$SRC/deploy/xw/postgresql.conf" "$RUN/pg/postgresql.conf"
		daemon_start pg "$bin/postgres" "$bin/postgres" -D "$RUN/pg" -k "$SOCK"
	}
	daemon_wait pg 120 "$bin/pg_isready" -q -h "$SOCK" || die 'no postgres'
}

# Postgres refuses to start while the process named in its lock file lives, whatever that is: after
# a crash or a restart of the machine the number may belong to anybody.
server_stale_lock() {
	local pid
	[[ -r $1 ]] || return 0
	read -r pid <"$1" || true
	daemon_is pg "$pid" || rm -f "$1"
}

server_redis() {
	daemon_pid redis >/dev/null || {
		daemon_stop redis TERM
		daemon_start redis redis-server "$(server_redis_bin)" "$SRC/deploy/xw/redis.conf" \
			--unixsocket "$SOCK/redis.sock" --dir "$RUN/redis"
	}
	daemon_wait redis 20 server_redis_answers || die 'no redis'
}

server_redis_answers() {
	[[ $(redis-cli -s "$SOCK/redis.sock" ping) == PONG ]]
}

# As the cluster's owner.
server_sql() {
	"$(server_pg_bin)/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCK" -U postgres "$@"
}

server_psql() {
	daemon_pid pg >/dev/null || die 'postgres is not up; ./xw up first'
	exec "$(server_pg_bin)/psql" -h "$SOCK" -U postgres -d "$DB" "$@"
}

# server_migrate DB: makes the database where there is none, and brings it to the newest schema.
server_migrate() {
	local db=$1 missing conninfo="host=$SOCK user=postgres dbname=$1"
	[[ $(server_sql -At -d postgres -c "select 1 from pg_database where datname = '$db'") == 1 ]] ||
		server_sql -d postgres -c "create database $db"
	missing=$(sh "$SRC/schema/migrate" --dry-run "$conninfo") || die "the schema of $db cannot be brought up to date"
	((missing > 0)) || return 0
	daemon_stop sealer TERM # one that does not know a new table would pass over its rows
	sh "$SRC/schema/migrate" "$conninfo" >>"$RUN/log/migrate.log" 2>&1 ||
		{ tail -n 5 "$RUN/log/migrate.log" >&2; die "the schema of $db was not brought up to date"; }
	step "schema: $missing migrations applied to $db"
}

servers_up() {
	mkdir -p "$RUN/log"
	server_sockets
	server_pg
	server_redis
}

# The environment by which programs and tests find this run.
server_environment() {
	export XW_RUN=$RUN XW_PORT_BASE=$PORT_BASE XW_REDIS=$SOCK/redis.sock
	export XW_OPERATORS=127.0.0.1:$((PORT_BASE + 1)) XW_CONTROL=127.0.0.1:$((PORT_BASE + 2))
	export XW_CODE_GUID=org.crosswallet.demo XW_PAYER_ORIGIN=https://127.0.0.1:$((PORT_BASE + 3)) # of deploy/demo
	export PGHOST=$SOCK PGPORT=5432 PGDATABASE=$DB
}
