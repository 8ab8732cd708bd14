//! Peers on real servers: what they answer is what their database holds.

mod peers;
