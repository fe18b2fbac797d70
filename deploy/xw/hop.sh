# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# The third yardstick: one request through nginx as a plain reverse proxy, TLS 1.3 on both of its sides and
# kept alive, between the benchmark's client and an origin that is nginx too. It is what a hop costs that
# decides nothing and keeps nothing.
#
# The hard thing is that it must be nobody's service: both servers run from folders of this run, with its
# keys, on its ports, know of no file in /etc, and are ended with the measurement.

HOP_PROXY=40 HOP_ORIGIN=41 # ports, offsets in the block

hop_binary() { readlink -f -- "$(PATH=$PATH:/usr/sbin command -v nginx)"; }

# hop_conf NAME PORT WORKERS: what both have; what they do with a request comes on standard input.
hop_conf() {
	local dir=$RUN/$1 each
	mkdir -p "$dir/temp"
	{
		printf 'daemon off;\npid %s/pid;\nerror_log %s/log/%s.log;\nworker_processes %s;\n' "$dir" "$RUN" "$1" "$3"
		printf 'events { worker_connections 512; }\nhttp {\naccess_log off;\nserver_tokens off;\n'
		for each in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/temp/%s;\n' $each "$dir" $each; done
		cat
		printf 'server {\nlisten 127.0.0.1:%s ssl;\nssl_protocols TLSv1.3;\nkeepalive_requests 1000;\n' "$2"
		printf 'ssl_certificate %s/keys/tls/switchd.pem;\nssl_certificate_key %s/keys/tls/switchd.key;\n' "$RUN" "$RUN"
		printf 'location / { include %s/location; }\n}\n}\n' "$dir"
	} >"$dir/conf"
}

# hop_start NAME PORT
hop_start() {
	local bin=$(hop_binary)
	daemon_start "$1" "$bin" "$bin" -p "$RUN/$1" -c "$RUN/$1/conf" -e "$RUN/log/$1.log"
	daemon_wait "$1" 10 port_taken "$2" 1 || die "no $1"
}

hop_stop() {
	daemon_stop nginx-proxy QUIT
	daemon_stop nginx-origin QUIT
}

# hop_measure SECONDS: requests a second, and processor microseconds of proxy, origin and client for one.
hop_measure() {
	local proxy=$((PORT_BASE + HOP_PROXY)) origin=$((PORT_BASE + HOP_ORIGIN)) out
	step 'bench: nginx'
	hop_stop
	hop_conf nginx-origin $origin 1 </dev/null
	# As many bytes as the answer to a payment.
	printf 'default_type application/json;\nreturn 201 "%0450d";\n' 0 >"$RUN/nginx-origin/location"
	hop_conf nginx-proxy $proxy 2 <<-TXT # as many workers as the switch has
	upstream origin { server 127.0.0.1:$origin; keepalive 32; keepalive_requests 1000; }
	TXT
	cat >"$RUN/nginx-proxy/location" <<-TXT
	proxy_pass https://origin;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	proxy_set_header Host \$host;
	proxy_ssl_protocols TLSv1.3;
	TXT
	hop_start nginx-origin $origin
	hop_start nginx-proxy $proxy
	out=$(bench_program --hop "$(daemon_pid nginx-proxy),$(daemon_pid nginx-origin)" --port $proxy --keys "$RUN/keys" --seconds "$1") ||
		die "nginx could not be measured; see $RUN/log/nginx-proxy.log"
	hop_stop
	echo "$out"
}
