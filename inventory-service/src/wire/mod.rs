//! What crosses the wire, as types. The only way in is [`service_kit::json::Wire::parse`], which makes the engine's
//! newtypes; the only way out is `From` the engine's values, and [`answer`]
//! where that would cost too much.

pub mod answer;
mod items;
pub mod journal;
pub mod product;
pub mod report;
pub mod requests;
pub mod reservation;
pub mod stock;
pub mod time;

pub use items::{ItemBody, ItemWire};
