#!/bin/sh
# versions.sh OUTPUT ADAPTERS: for each adapter a digest of what makes its translation: its own folder without
# the fake, what the adapters share, and the canonical message. Whoever has the sources of a version can say
# which it was. The file is written only where it would change.
set -eu
export LC_ALL=C
case $1 in /*) output=$1 ;; *) output=$PWD/$1 ;; esac
cd "$2"

sources() {
	find "$1" -maxdepth 1 -name '*.[ch]' ! -name 'fake_*' ! -name '*fake.h' ! -name 'sandbox.[ch]' | sort
}

shared=$({ sources . && sources aps && echo ../proto/canonical.proto; } | xargs cat | sha256sum)
for folder in */; do
	name=${folder%/}
	case $name in aps | fake) continue ;; esac
	digest=$({ echo "$shared" && sources "$name" | xargs cat; } | sha256sum | cut -c 1-12)
	echo "VERSION($name, \"$digest\")"
done >"$output.new"
if cmp -s "$output.new" "$output"; then rm "$output.new"; else mv "$output.new" "$output"; fi
