#!/bin/sh
# Makes sure that libfaketime is there, by which `make chaos` sets the clock of one process; installs the distribution's package if not.
# A run without it says that clock jumps were not shown.
set -eu
. "$(dirname "$0")/apt.sh"

found() {
    for library in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib64/faketime/libfaketime.so.1 /usr/lib/faketime/libfaketime.so.1; do
        [ -f "$library" ] && return 0
    done
    return 1
}

found && exit 0

may_install libfaketime "Setting the clock of one process needs libfaketime. Install it with this system's package manager." libfaketime
install_packages libfaketime

found || { echo "The package was installed, but libfaketime.so.1 was not found." >&2; exit 1; }
