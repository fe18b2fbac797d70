# shellcheck shell=bash disable=SC1090,SC2154  # read by deploy/demo/make.sh, which includes this
# Who takes part in the fault matrix: as in the benchmark. The wallets are reached through the proxy
# that makes the network's faults, at the ports that FAULT_PORT begins.
. "$here/../../bench/participants.sh"
BEHIND=(bluecode alipayplus)

eval "of_the_benchmark_$(declare -f participants)"
participants() {
	local i
	of_the_benchmark_participants
	for i in "${!BEHIND[@]}"; do
		sed "s#^url: https://127.0.0.1:[0-9]*#url: https://127.0.0.1:$((FAULT_PORT + i))#" \
			"$CONF/participants/${BEHIND[i]}.yaml" >"$CONF/participants/${BEHIND[i]}.yaml.proxied"
		mv "$CONF/participants/${BEHIND[i]}.yaml.proxied" "$CONF/participants/${BEHIND[i]}.yaml"
	done
}
