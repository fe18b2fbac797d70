# shellcheck shell=bash disable=SC2015,SC2016,SC2030,SC2031,SC2034,SC2086,SC2155  # part of ./xw
# What a person reads. Progress goes to standard error, results to standard output, so that a pipe
# or --json sees results alone.

say() { printf '%s\n' "$*" >&2; }
die() { say "xw: $*"; exit 3; }

# step TEXT: one line of progress, with the seconds since the start.
step() { printf '%4ds  %s\n' "$SECONDS" "$*" >&2; }

# A JSON string, list of strings, object of strings (from name value name value ...).
json_str() {
	local s=$1
	s=${s//\\/\\\\} s=${s//\"/\\\"} s=${s//$'\n'/\\n} s=${s//$'\t'/\\t} s=${s//$'\r'/\\r}
	printf '"%s"' "$s"
}
json_list() {
	local item sep=
	printf '['
	for item; do printf '%s' "$sep"; json_str "$item"; sep=,; done
	printf ']'
}
json_map() {
	local sep=
	printf '{'
	while (($# >= 2)); do
		printf '%s' "$sep"; json_str "$1"; printf ':'; json_str "$2"
		sep=, ; shift 2
	done
	printf '}'
}
