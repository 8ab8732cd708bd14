//! The saga against pure models of inventory and payment: no I/O, so every interleaving can be forced.

mod cells;
mod drain;
mod equivalence;
mod fakes;
mod loops;
mod model;
mod properties;
mod races_end;
mod races_money;
mod races_stock;
mod table;
mod world;
