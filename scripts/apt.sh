# Sourced by the scripts that install: the distribution's packages, by whoever may install them.

# may_install WHAT ADVICE PACKAGE: says why not and ends, or says that it will be done; afterwards $sudo is what makes a command root's.
may_install() {
    if ! command -v apt-get >/dev/null 2>&1; then
        printf '%s\n' "$2" >&2
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1; then
        sudo=sudo
    else
        echo "$1 is missing, and installing it needs root: run 'apt-get install $3' as root." >&2
        exit 1
    fi
    echo "$1 is missing: installing the distribution's package."
}

# install_packages PACKAGE…
install_packages() {
    $sudo apt-get update -q
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
