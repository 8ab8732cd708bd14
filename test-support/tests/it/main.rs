//! The helpers against a real Postgres and a real Kafka.

mod kafka;
mod postgres;
mod proxy;
mod service;
mod tidy;
