#!/bin/sh
# Puts real peers into the folder .peers (or $COMPTOIR_PEERS): mastodon-mock and snac; with "bluesky", the vendor's own
# network too (half a gigabyte, minutes). Needs Debian's apt-get for snac and Redis. Dovecot alone, which needs users of its
# own, is installed into the system, where we may.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
to=${COMPTOIR_PEERS:-$here/.peers}
mkdir -p "$to"

# Packages of one Debian suite, unpacked into a folder; apt keeps a state of its own for it.
unpack() { # suite folder package…
	suite=$1 folder=$2
	shift 2
	apt=$to/apt/$suite
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$folder"
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -v security | head -n 1)
	[ -n "$mirror" ] || { echo "apt knows no mirror here: add Debian's to its sources, then try again." >&2; exit 1; }
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$key] $mirror $suite main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-EOT
		Dir::State "$apt";
		Dir::State::status "/var/lib/dpkg/status";
		Dir::Cache "$apt";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		APT::Sandbox::User "$(id -un)";
	EOT
	(cd "$apt" && export APT_CONFIG="$apt/apt.conf" && apt-get update -qq && apt-get download -qq "$@")
	for file in "$apt"/*.deb; do dpkg -x "$file" "$folder"; done
}

[ -x "$to/mastodon-mock/bin/mastodon_mock" ] || {
	"${PYTHON:-python3}" -m venv "$to/mastodon-mock"
	"$to/mastodon-mock/bin/pip" install -q --disable-pip-version-check mastodon-mock==0.6.1
}
command -v dovecot >/dev/null || [ "$(id -u)" != 0 ] ||
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dovecot-imapd >/dev/null ||
	echo "Dovecot could not be installed: the tests of mail with a real server say so and are skipped." >&2
[ -x "$to/snac/usr/bin/snac" ] || unpack trixie "$to/snac" snac2
[ "${1:-}" = bluesky ] || exit 0
command -v redis-server >/dev/null || [ -x "$to/redis/usr/bin/redis-server" ] ||
	unpack bookworm "$to/redis" redis-server redis-tools liblzf1 libjemalloc2 liblua5.1-0 lua-cjson lua-bitop libatomic1
[ -d "$to/atproto/node_modules/@atproto/dev-env" ] ||
	npm install --prefix "$to/atproto" --no-audit --no-fund @atproto/dev-env@0.6.7
