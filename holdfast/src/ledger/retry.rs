//! Trying again while the answer may still come.

use std::time::Duration;

use super::Unanswered;

/// Tries of one call, at most: with the pauses below, about 25 seconds.
const TRIES_MAX: u32 = 16;
/// The pause after the first try; doubles up to `PAUSE_MAX`.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Calls until there is an answer that will not change, and says which try it was.
pub(crate) async fn until_answered<T, F>(mut call: impl FnMut() -> F) -> Result<(T, u32), Unanswered>
where
    F: Future<Output = Result<T, Unanswered>>,
{
    let mut pause = PAUSE_MIN;
    let mut tries = 1;
    loop {
        match call().await {
            Ok(answer) => return Ok((answer, tries)),
            Err(why) if !why.is_transient || tries == TRIES_MAX => return Err(why),
            Err(_) => tokio::time::sleep(pause).await,
        }
        tries += 1;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn unanswered(is_transient: bool) -> Unanswered {
        Unanswered { is_transient, message: "busy".to_owned(), source: None }
    }

    #[tokio::test]
    async fn a_transient_failure_is_tried_again_and_the_try_is_counted() {
        let calls = Cell::new(0);
        let answered = until_answered(|| {
            calls.set(calls.get() + 1);
            let answer = if calls.get() < 3 { Err(unanswered(true)) } else { Ok("yes") };
            std::future::ready(answer)
        });
        assert_eq!(answered.await.unwrap(), ("yes", 3));
    }

    #[tokio::test]
    async fn a_lasting_failure_is_not_tried_again() {
        let calls = Cell::new(0);
        let answered = until_answered(|| {
            calls.set(calls.get() + 1);
            std::future::ready(Err::<(), _>(unanswered(false)))
        });
        assert!(answered.await.is_err());
        assert_eq!(calls.get(), 1);
    }
}
