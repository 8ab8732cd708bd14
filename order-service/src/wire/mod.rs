//! What crosses the wire, as types.

pub mod order;
pub mod page;
pub mod requests;
pub mod timeline;
