//! What must happen *sometimes*. A simulation that never reached the hard corners says nothing about them, so a run of many seeds
//! fails when one of these never came up.

macro_rules! goals {
    ($($name:ident => $text:literal,)*) => {
        /// A corner that must be reached.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Goal {
            $(#[doc = $text] $name,)*
        }

        impl Goal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// In words.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl std::fmt::Display for Goal {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.text())
            }
        }
    };
}

pub(crate) use goals;

goals! {
    ResolvedCommitted => "an unknown COMMIT was resolved as committed",
    ResolvedAborted => "an unknown COMMIT was resolved as aborted",
    OwnTombstone => "a resolver met the tombstone of its own earlier try",
    OrphanTerminated => "a resolver ended an orphaned backend",
    LateCommitApplied => "a COMMIT took effect after its client was told that the outcome is unknown",
    LateCommitFenced => "a COMMIT arrived after its backend was ended",
    RefusedAfterWaiting => "a reserve waited for takes in flight and was then refused",
    GrantedAfterWaiting => "a reserve waited for takes in flight and then held",
    SplitBatch => "a batch was refused for one command's data",
    RefusedAlone => "a command that the ledger refuses was found and refused alone",
    Skipped => "a batch went on without rows that another held",
    LockTimeout => "a session waited too long for a lock",
    Deadlock => "two sessions waited for each other",
    ToldStale => "a batch was told of a hold what was no longer so, and tried again",
    Presumed => "a batch presumed what its session had left, and was written by one message",
    Ahead => "a batch was begun while the one before it was committing, and went on from there",
    AheadOfFailure => "the one before it failed, and the batch began again",
    PresumedInVain => "a batch presumed what was no longer so, and tried again",
    KeyConflict => "two engines wrote the same key",
    CommittedLate => "a commit came after expiry and there was stock",
    Lost => "a commit came after expiry and the stock was gone",
    Adopted => "a hold outlived its engine and was ended by another",
    ReplayedAfterUnknown => "the repeat of a request without answer was a replay",
    TombstoneHeld => "a reserve was refused because its order had been released before",
    CallerLeft => "a caller went away and the hold was made all the same",
    ToldUnknown => "a caller was told that the outcome is unknown",
    ToldOverloaded => "a caller was refused for overload",
    ToldUnavailable => "a caller was refused because the ledger was away",
    Restarted => "the ledger was restarted with transactions open",
    FailedOver => "a standby without the last commits took over",
    LostWithFailover => "an acknowledged change was lost with its timeline",
    Crashed => "an engine was killed with work in flight",
    IdleEnded => "a transaction was ended for idling",
}
