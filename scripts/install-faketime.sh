#!/bin/sh
# Makes sure that libfaketime is there, by which `make chaos` sets the clock of one process; installs the distribution's package if not.
# A run without it says that clock jumps were not shown.
set -eu

found() {
    for library in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib64/faketime/libfaketime.so.1 /usr/lib/faketime/libfaketime.so.1; do
        [ -f "$library" ] && return 0
    done
    return 1
}

found && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Setting the clock of one process needs libfaketime. Install it with this system's package manager." >&2
    exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1; then
    sudo=sudo
else
    echo "libfaketime is missing, and installing it needs root: run 'apt-get install libfaketime' as root." >&2
    exit 1
fi

echo "libfaketime is missing: installing the distribution's package."
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libfaketime

found || { echo "The package was installed, but libfaketime.so.1 was not found." >&2; exit 1; }
