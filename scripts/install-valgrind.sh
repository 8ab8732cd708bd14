#!/bin/sh
# Makes sure that what counts instructions is there: valgrind (the distribution's package) and gungraun's runner, in the version
# that Cargo.lock has of its library, in a folder outside the clone. Prints the runner's path.
set -eu
cd "$(dirname "$0")/.."
. scripts/apt.sh

if ! command -v valgrind >/dev/null 2>&1; then
    {
        may_install Valgrind "Counting instructions needs valgrind. Install it with this system's package manager." valgrind
        # libc6-dbg: without the symbols of the dynamic loader valgrind does not start.
        install_packages valgrind libc6-dbg
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
