//! The helpers against a real Postgres and a real Kafka.

mod kafka;
mod postgres;
mod service;
mod tidy;
