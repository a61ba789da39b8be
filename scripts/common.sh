# shellcheck shell=bash
# What every script needs: the root, one voice, one way to name a missing tool.
# Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# The one Go module lives in go/; a go.work of the developer's own must not
# change what is built.
export GOWORK=off
# libgit2 must bring its own zlib: the static library may need nothing that the
# target machine lacks. (.cargo/config.toml says the same for plain cargo.)
export LIBZ_SYS_STATIC=1
# shellcheck disable=SC2034 # read by scripts/core
target_dir=${CARGO_TARGET_DIR:-$root/target}

say() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
	printf 'goat: %s\n' "$1" >&2
	if [ $# -gt 1 ]; then printf 'hint: %s\n' "$2" >&2; fi
	exit 1
}

# need TOOL COMMAND: stops with the command that gets a missing tool.
need() {
	command -v "$1" >/dev/null 2>&1 || die "$1 is missing" "$2"
}

need_go() {
	need go "install Go 1.23 or newer: https://go.dev/dl, or apt-get install golang-go"
	local have
	have=$(go env GOVERSION)
	case "$have" in
	go1.[0-9] | go1.[0-9].* | go1.1[0-9]* | go1.2[0-2] | go1.2[0-2].* | go1.2[0-2]rc*)
		die "$have is too old: goat needs Go 1.23 or newer" "https://go.dev/dl"
		;;
	esac
}

need_core() {
	need git "apt-get install git"
	need cc "apt-get install gcc"
	need cargo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
}

# The file that must hold the text on standard input; untouched where it does
# already, so that nothing downstream is rebuilt for nothing.
write_if_changed() {
	local file=$1 new
	new=$(mktemp "$file.XXXXXX")
	cat >"$new"
	if cmp -s "$new" "$file"; then
		rm -f "$new"
	else
		chmod 644 "$new"
		mv -f "$new" "$file"
	fi
}
