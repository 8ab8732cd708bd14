//! Measurements on real servers: what peers answer is what their database holds, a history is one that the audit finds clean, a
//! storm is weathered.

mod history;
mod peers;
mod storm;
