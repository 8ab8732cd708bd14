//! One order, model-checked: every interleaving of its saga, inventory, the provider, the network, the buyer, an operator and time.
//!
//! **The network** is the worst that can be thought of, so there is no bound on faults. A call that was ever begun may reach the other
//! side at any time and any number of times, also after it is over; every answer and every event that was ever given may be heard at any
//! time, any number of times, in any order; a call or an answer that is lost is one that is never heard. Only events are heard once at
//! least, for they are durable.
//!
//! **Chance** decides the rest: whether stock is free when it is asked for, whether and when the provider approves (also after it
//! declined or charge the money back), when a hold runs out, when timers fire (also stale ones), what keeps failing, whether the services
//! are started again with the other `SAGA_MODE`, and what people do: the buyer cancels, an operator abandons, or does by hand what a call
//! was for and skips it. (Whoever skips without doing it is not modelled: nothing could help.)
//!
//! **Quiet.** From every state there is a step to a quiet time, in which nothing is lost or doubled any more: what is on its way as a
//! call or an answer is gone, events that nobody heard yet arrive, outstanding calls are made and answered, the deadline comes. Whatever
//! the order of these, quiet time ends, and the order then is one of two: completed, or fully compensated.
//!
//! The state space is finite without a bound because sagas are few (see `reachable`), and what was ever said is a set. `rules` has what
//! always holds, `goals` what must be reachable; `mutants` and `deaf` break the saga on purpose and demand that a rule notices.

mod automaton;
mod bits;
mod deaf;
mod exhaustive;
mod goals;
mod hear;
mod mutants;
mod network;
mod outside;
mod rules;
mod said;
mod state;
mod tale;
