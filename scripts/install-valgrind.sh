#!/bin/sh
# Makes sure that what counts instructions is there: valgrind (the distribution's package) and gungraun's runner, in the version
# that Cargo.lock has of its library, in a folder outside the clone. Prints the runner's path.
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Counting instructions needs valgrind. Install it with this system's package manager." >&2
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1; then
        sudo=sudo
    else
        echo "Valgrind is missing, and installing it needs root: run 'apt-get install valgrind' as root." >&2
        exit 1
    fi
    echo "Valgrind is missing: installing the distribution's package." >&2
    {
        $sudo apt-get update -q
        # libc6-dbg: without the symbols of the dynamic loader valgrind does not start.
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends valgrind libc6-dbg
    } >&2
fi

library=$(cargo pkgid --locked gungraun)
version=${library##*[@#]}
folder="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/gungraun-runner-$version"
runner="$folder/bin/gungraun-runner"
if [ ! -x "$runner" ]; then
    echo "The runner of gungraun $version is missing: building it into $folder, once." >&2
    cargo install --quiet --locked --version "$version" --root "$folder" --no-track gungraun-runner >&2
fi
echo "$runner"
