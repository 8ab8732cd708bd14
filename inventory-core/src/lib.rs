#![doc = include_str!("../README.md")]

pub mod audit;
mod chance;
pub mod clock;
pub mod command;
pub mod counters;
pub mod decide;
pub mod engine;
pub mod error;
pub mod event;
pub mod explain;
mod housekeeping;
pub mod ids;
pub mod journal;
mod levels;
pub mod limits;
pub mod lines;
pub mod options;
pub mod outcome;
pub mod product;
pub mod quantity;
pub mod reservation;
pub mod store;
mod sweeper;
mod sync;
mod writer;
