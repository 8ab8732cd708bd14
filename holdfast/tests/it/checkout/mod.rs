//! Checkout: orders over REST, all three services, as one process and as three.

mod all_in_one;
mod apart;
mod choreography;
pub(crate) mod market;
mod poison;
