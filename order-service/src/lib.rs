//! Orders: the saga that turns a cart into a confirmed order or into nothing at all.
//!
//! **There is one way to change an order**: an input through `saga::step`, under the order's row lock, with everything it decided
//! written in the same transaction. REST, events, timers, answers of calls and operators all use it.

pub mod saga;
