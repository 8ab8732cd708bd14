#!/bin/sh
# Form: formatting, lints, documentation.
. "$(dirname "$0")/lib.sh"

# A missing component is installed where rustup manages the toolchain, and is a failure elsewhere.
component() {
    cargo "$2" --version >/dev/null 2>&1 && return 0
    command -v rustup >/dev/null 2>&1 || { echo "cargo $2 is missing, and there is no rustup to install it" >&2; return 1; }
    rustup component add "$1"
}

documentation() {
    # The people who carry the code on read about its insides, too.
    RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --workspace --no-deps --document-private-items --locked
}

phase "rustfmt and clippy are installed" eval 'component rustfmt fmt && component clippy clippy'
phase "format" cargo fmt --all --check
phase "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
phase "documentation" documentation
