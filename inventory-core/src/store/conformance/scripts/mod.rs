//! Scripts drawn from a seed: the same batches for every store, and an account of everything that a store said and kept. Two stores
//! that give different accounts of one script differ in something that an engine could see.
//!
//! A script brings its own time: what a batch writes is stamped with the script's clock, whatever the store's says, so that accounts
//! are compared to the microsecond.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use inventory_core::store::{Store, StoreError, memory::MemoryStore, conformance::scripts::Script};
//! # async fn mine_is_like_the_memory_store(mine: Arc<dyn Store>) -> Result<(), StoreError> {
//! let script = Script::alone(7);
//! let expected = script.play(Arc::new(MemoryStore::default())).await?;
//! assert_eq!(script.play(mine).await?.first_difference(&expected), None);
//! # Ok(())
//! # }
//! ```

mod account;
mod draw;
mod events;
mod player;

use std::sync::Arc;

use self::draw::Step;
use self::player::Player;
use crate::store::{Store, StoreError};

/// Lines that are shown before a difference.
const LED_LINES: usize = 4;
/// Characters that are shown before a difference.
const LED_CHARS: usize = 300;

/// Batches to be run on a store, and how each is to end.
#[derive(Clone, Debug)]
pub struct Script {
    seed: u64,
    steps: Vec<Step>,
}

impl Script {
    /// One session at a time, for every store.
    pub fn alone(seed: u64) -> Self {
        Self { seed, steps: draw::steps(seed, false) }
    }

    /// With second sessions that meet rows which the first has locked, for stores that serve several at once.
    pub fn crossed(seed: u64) -> Self {
        Self { seed, steps: draw::steps(seed, true) }
    }

    /// Runs the script on an empty store. Errors that a batch meets are part of the account; one that is met by reading it ends the run.
    pub async fn play(&self, store: Arc<dyn Store>) -> Result<Account, StoreError> {
        let mut player = Player::new(Arc::clone(&store), self.seed);
        for step in &self.steps {
            player.step(step).await?;
        }
        let mut lines = player.finish();
        account::read(&*store, &self.steps, &mut lines).await?;
        Ok(Account { lines })
    }
}

/// What a store said at every step of a script, and what it kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    lines: Vec<String>,
}

impl Account {
    /// Where this differs from another first: what led there, and what both say; none if they are the same.
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let length = self.lines.len().max(other.lines.len());
        let at = (0..length).find(|at| self.lines.get(*at) != other.lines.get(*at))?;
        let line = |account: &Self| account.lines.get(at).cloned().unwrap_or_else(|| "(the end)".to_owned());
        let (this, that) = (line(self), line(other));
        let same = this.chars().zip(that.chars()).take_while(|(one, another)| one == another).count();
        let led = self.lines.get(at.saturating_sub(LED_LINES)..at).unwrap_or_default();
        let led: Vec<String> = led.iter().map(|line| piece(line, 0)).collect();
        Some(format!(
            "after\n  {}\nthis\n  {}\nthe other\n  {}",
            led.join("\n  "),
            piece(&this, same),
            piece(&that, same)
        ))
    }

    /// Every line, for people.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// What is shown of a line around the character at `at`.
fn piece(line: &str, at: usize) -> String {
    line.chars().skip(at.saturating_sub(LED_CHARS)).take(LED_CHARS * 3).collect()
}
