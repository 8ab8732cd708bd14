//! Attacks over sockets, each while honest customers go on buying: every one of their requests is answered correctly, and the process stays
//! small. What is answered, and when a connection is cut, stands in docs/OPERATIONS.md ("Limits").

mod bodies;
mod connections;
mod heads;
mod hoarders;
mod honest;
mod raw;
