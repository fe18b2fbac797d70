# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# What must be installed, and how old it may be. As root the missing is installed; for anybody else
# it is named. Nothing of the distribution's is started: no cluster is made, no service runs.

# gcc and meson build it; postgresql-15 and redis-tools run it (redis-tools alone holds the server's
# binary and starts no service); the rest are the libraries of meson.build.
PACKAGES=(
	gcc libc6-dev pkgconf meson ninja-build python3
	libevent-dev libssl-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libpq-dev
	libhiredis-dev libjansson-dev libxml2-dev libqrencode-dev libpng-dev libcyaml-dev libyaml-dev libseccomp-dev
	libcmocka-dev postgresql-15 postgresql-client-15 redis-tools openssl
)
# clang has the fuzzing engine.
FUZZ_PACKAGES=(clang libclang-rt-14-dev)
# The tests' alone: no ledger has it.
TEST_PACKAGES=(postgresql-15-pgtap)
# The yardsticks' alone. It must not start with the machine either.
BENCH_PACKAGES=(nginx)
# Commands that only the tests need, and the package to take where the command is missing. Of
# prometheus only promtool is wanted: its server must not start with the machine either.
TEST_COMMANDS=(git:git node:nodejs npm:npm promtool:prometheus
	xmllint:libxml2-utils chromium:chromium)

# The oldest that is safe (rule V-1); each line has fixes that older ones lack.
FLOOR='
libevent-2.1-7        2.1.12-stable-8+deb12u1
libevent-core-2.1-7   2.1.12-stable-8+deb12u1
libevent-openssl-2.1-7 2.1.12-stable-8+deb12u1
libssl3               3.0.22-1~deb12u2
openssl               3.0.22-1~deb12u2
postgresql-15         15.20
libpq5                15.20
redis-tools           5:7.0.15-1~deb12u10
libhiredis0.14        0.14.1-3
libprotobuf-c1        1.4.1-1
libseccomp2           2.5.4-1
'

packages_missing() {
	local name names=("${PACKAGES[@]}")
	case $VERB in test | fuzz) names+=("${FUZZ_PACKAGES[@]}") ;; esac
	case $VERB in test) names+=("${TEST_PACKAGES[@]}") ;; bench) names+=("${BENCH_PACKAGES[@]}") ;; esac
	for name in "${names[@]}"; do
		[[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
			echo "$name"
	done
	case $VERB in
	test) names=("${TEST_COMMANDS[@]}") ;;
	matrix | audit) names=(node:nodejs) ;;
	*) return 0 ;;
	esac
	for name in "${names[@]}"; do
		command -v "${name%%:*}" >/dev/null || echo "${name#*:}"
	done
}

packages_floor_names() { awk 'NF { print $1 }' <<<"$FLOOR"; }

# Names that are installed but older than the floor.
packages_old() {
	local name floor have
	while read -r name floor; do
		[[ -n $name ]] || continue
		have=$(dpkg-query -W -f='${Version}' "$name" 2>/dev/null) || continue
		[[ -z $have ]] || dpkg --compare-versions "$have" ge "$floor" || echo "$name"
	done <<<"$FLOOR"
}

packages_ready() {
	local missing old
	command -v dpkg-query >/dev/null ||
		die 'this is not Debian; build with meson by hand, see README.md'
	missing=$(packages_missing) old=$(packages_old)
	if [[ -n $missing$old ]]; then
		# shellcheck disable=SC2086  # names, one a word
		if ((EUID == 0)); then
			packages_install $missing $old
		elif [[ -n $missing ]]; then
			die "missing packages; as root: apt-get install --no-install-recommends" $missing
		fi
		missing=$(packages_missing) old=$(packages_old)
	fi
	[[ -z $missing ]] || die "could not be installed:" $missing
	[[ -z $old ]] || die "older than the floor that is safe (deploy/xw/packages.sh), upgrade:" $old
	step "on $(packages_versions)"
}

# What we stand on, for the log.
packages_versions() {
	dpkg-query -W -f='${Package} ${Version}, ' libevent-2.1-7 libssl3 libpq5 libhiredis0.14 \
		libprotobuf-c1 postgresql-15 redis-tools 2>/dev/null | sed 's/, $//'
}

# A policy that refuses to start services while we are at it, and lapses by itself should we die; a
# setting that makes no cluster. Both go when the shell that this runs in ends.
packages_install() (
	exec 8</var/lib/dpkg && flock 8 # two copies at once would remove each other's policy
	policy=/usr/sbin/policy-rc.d
	no_cluster=/etc/postgresql-common/createcluster.d/crosswallet.conf
	made=$(mkdir -pv "${no_cluster%/*}")
	trap 'rm -f "$no_cluster"; [[ -z $made ]] || rmdir "${no_cluster%/*}"
		[[ -z ${ours-} ]] || rm -f "$policy"' EXIT
	if [[ ! -e $policy ]] || grep -q '^# crosswallet$' "$policy"; then
		ours=yes
		printf '#!/bin/sh\n# crosswallet\n[ -d /proc/%s ] && exit 101\nexit 0\n' "$BASHPID" >"$policy"
		chmod 755 "$policy"
	fi
	echo 'create_main_cluster = false' >"$no_cluster"

	log=$(mktemp)
	step "packages: $(wc -w <<<"$*") to install or upgrade: $*"
	export DEBIAN_FRONTEND=noninteractive
	apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
	if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } \
		</dev/null >"$log" 2>&1 8<&-; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die 'apt-get failed'
	fi
	rm -f "$log"
	for name in prometheus nginx; do
		[[ " $* " != *" $name "* ]] || update-rc.d "$name" disable
	done
)
