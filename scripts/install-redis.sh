#!/bin/sh
# Makes sure that Redis is there for `make bench`; installs the distribution's package if not. Measurements start a server
# of their own: none needs to run, and none is left running here.
set -eu
. "$(dirname "$0")/apt.sh"

command -v redis-server >/dev/null 2>&1 && exit 0

may_install Redis "Measuring beside Redis needs redis-server on the PATH. Install it with this system's package manager." redis-server
install_packages redis-server
# The package starts a server of its own where systemd runs; nobody here asked for one.
if [ -d /run/systemd/system ]; then
    $sudo systemctl disable --now redis-server
fi

command -v redis-server >/dev/null 2>&1 || { echo "The package was installed, but redis-server was not found." >&2; exit 1; }
