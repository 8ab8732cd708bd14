//! The tests of the order service, in one binary.

mod saga;
mod shell;
