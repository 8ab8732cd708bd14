#!/bin/sh
# Makes sure that Redis is there for `make bench`; installs the distribution's package if not. Measurements start a server
# of their own: none needs to run, and none is left running here.
set -eu

command -v redis-server >/dev/null 2>&1 && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Measuring beside Redis needs redis-server on the PATH. Install it with this system's package manager." >&2
    exit 1
fi

if [ "$(id -u)" -eq 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1; then
    sudo=sudo
else
    echo "Redis is missing, and installing it needs root: run 'apt-get install redis-server' as root." >&2
    exit 1
fi

echo "Redis is missing: installing the distribution's package."
$sudo apt-get update -q
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends redis-server
# The package starts a server of its own where systemd runs; nobody here asked for one.
if [ -d /run/systemd/system ]; then
    $sudo systemctl disable --now redis-server
fi

command -v redis-server >/dev/null 2>&1 || { echo "The package was installed, but redis-server was not found." >&2; exit 1; }
