//! Replays a file of baskets: each is reserved in the file's order, then committed, released or left, as its order id and
//! a seed decide. Two runs over stores that began alike must end alike; the digest shows whether they did.

mod baskets;
mod digest;
mod fate;
mod orders;
mod run;
mod summary;

pub use baskets::{Basket, BasketFile, Dropped, UnreadableBaskets, order_id, read};
pub use digest::Digest;
pub use fate::{Fate, Fates};
pub use orders::{OrderDesk, Placements};
pub use run::{Plan, Progress, ReplayError, run};
pub use summary::{LineCounts, Summary, Tally};
