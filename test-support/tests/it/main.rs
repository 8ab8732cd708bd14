//! The helpers against a real Postgres.

mod postgres;
mod service;
mod tidy;
