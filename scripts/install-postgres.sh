#!/bin/sh
# Makes sure that Postgres' programs are there for the tests; installs the distribution's package if not.
# The tests start a cluster of their own: no server needs to run, and none is started here.
set -eu
. "$(dirname "$0")/apt.sh"

found() {
    [ -n "${TEST_DATABASE_URL:-}" ] && return 0
    for programs in "$(command -v initdb >/dev/null 2>&1 && dirname "$(command -v initdb)" || true)" \
        "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin; do
        [ -n "$programs" ] && [ -x "$programs/initdb" ] && [ -x "$programs/pg_ctl" ] && [ -x "$programs/postgres" ] && return 0
    done
    return 1
}

found && exit 0

may_install Postgres "The tests need Postgres (initdb, pg_ctl, postgres). Install it with this system's package manager and put its
programs on the PATH, or set TEST_DATABASE_URL to a superuser's URL of a server that tests may fill." postgresql
# The package would start a server of its own; tests do not want it.
$sudo mkdir -p /etc/postgresql-common/createcluster.d
echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
install_packages postgresql

found || { echo "The package was installed, but initdb, pg_ctl and postgres were not found." >&2; exit 1; }
