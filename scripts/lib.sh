# Sourced by the other scripts: phases with their times.
set -eu
cd "$(dirname "$0")/.."

phase() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    started=$(date +%s)
    "$@" || { status=$?; printf '== %s FAILED after %s s\n' "$name" "$(($(date +%s) - started))"; exit "$status"; }
    printf '== %s: %s s\n' "$name" "$(($(date +%s) - started))"
}
