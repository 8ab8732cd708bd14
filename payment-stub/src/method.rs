//! How a payment is to behave.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::limits::{LATE_MAX, SLOW_MAX};

/// How the payment behaves, and how its refund does. Written `decline`, or `approve/late:500` where the two differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Method {
    /// The payment.
    pub payment: Behaviour,
    /// Its refund.
    pub refund: Behaviour,
}

/// One way to behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// It succeeds at once.
    Approve,
    /// It is refused at once. (A refund is never refused.)
    Decline,
    /// It succeeds at once, but the call is answered only after so long: the outcome overtakes the answer.
    Slow(Duration),
    /// It is accepted, and then nothing is ever heard of it.
    Silent,
    /// It succeeds, and says so twice, with different event ids.
    Duplicate,
    /// It succeeds after so long.
    Late(Duration),
    /// So many of a hundred calls fail: before or after having accepted, or by not answering. It succeeds once accepted.
    Flaky(u8),
}

/// No such method. The message lists those that there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownMethod;

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be one of approve, decline, slow:<ms up to {}>, silent, duplicate, late:<ms up to {}>, \
             flaky:<percent from 0 to 100>, and may be followed by how the refund behaves, such as approve/silent",
            SLOW_MAX.as_millis(),
            LATE_MAX.as_millis()
        )
    }
}

impl std::error::Error for UnknownMethod {}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        match text.split_once('/') {
            None => text.parse().map(|behaviour| Self { payment: behaviour, refund: behaviour }),
            Some((payment, refund)) => match refund.parse()? {
                Behaviour::Decline => Err(UnknownMethod),
                refund => Ok(Self { payment: payment.parse()?, refund }),
            },
        }
    }
}

impl FromStr for Behaviour {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let (name, number) = match text.split_once(':') {
            Some((name, digits)) => (name, Some(parse_digits(digits)?)),
            None => (text, None),
        };
        let within = |ms: u64, max: Duration| {
            Some(Duration::from_millis(ms)).filter(|duration| *duration <= max).ok_or(UnknownMethod)
        };
        match (name, number) {
            ("approve", None) => Ok(Self::Approve),
            ("decline", None) => Ok(Self::Decline),
            ("silent", None) => Ok(Self::Silent),
            ("duplicate", None) => Ok(Self::Duplicate),
            ("slow", Some(ms)) => within(ms, SLOW_MAX).map(Self::Slow),
            ("late", Some(ms)) => within(ms, LATE_MAX).map(Self::Late),
            ("flaky", Some(percent @ 0..=100)) => {
                u8::try_from(percent).map(Self::Flaky).map_err(|_| UnknownMethod)
            }
            _ => Err(UnknownMethod),
        }
    }
}

/// Digits alone: no sign, no spaces.
fn parse_digits(text: &str) -> Result<u64, UnknownMethod> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or(UnknownMethod)
}

impl Behaviour {
    /// How long the call's answer is held back.
    pub fn answers_after(self) -> Duration {
        match self {
            Self::Slow(after) => after,
            Self::Approve
            | Self::Decline
            | Self::Silent
            | Self::Duplicate
            | Self::Late(_)
            | Self::Flaky(_) => Duration::ZERO,
        }
    }

    /// How long the outcome is held back.
    pub fn settles_after(self) -> Duration {
        match self {
            Self::Late(after) => after,
            Self::Approve
            | Self::Decline
            | Self::Slow(_)
            | Self::Silent
            | Self::Duplicate
            | Self::Flaky(_) => Duration::ZERO,
        }
    }

    /// How often the outcome is told.
    pub fn copies(self) -> u32 {
        match self {
            Self::Silent => 0,
            Self::Duplicate => 2,
            Self::Approve | Self::Decline | Self::Slow(_) | Self::Late(_) | Self::Flaky(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn every_method_is_read() {
        for (text, behaviour) in [
            ("approve", Behaviour::Approve),
            ("decline", Behaviour::Decline),
            ("slow:0", Behaviour::Slow(ms(0))),
            ("slow:60000", Behaviour::Slow(ms(60_000))),
            ("silent", Behaviour::Silent),
            ("duplicate", Behaviour::Duplicate),
            ("late:86400000", Behaviour::Late(ms(86_400_000))),
            ("flaky:0", Behaviour::Flaky(0)),
            ("flaky:100", Behaviour::Flaky(100)),
        ] {
            assert_eq!(text.parse(), Ok(Method { payment: behaviour, refund: behaviour }), "{text}");
        }
        let apart = Method { payment: Behaviour::Approve, refund: Behaviour::Late(ms(5)) };
        assert_eq!("approve/late:5".parse(), Ok(apart));
    }

    #[test]
    fn what_is_no_method_is_told_which_there_are() {
        for text in [
            "",
            "Approve",
            "visa",
            "approve:1",
            "slow",
            "slow:",
            "slow:-1",
            "slow:+1",
            "slow:1s",
            "slow:60001",
            "late:86400001",
            "late:99999999999999999999",
            "flaky",
            "flaky:101",
            "flaky:1:2",
            "approve/",
            "/approve",
            "approve/decline",
            "approve/silent/late:1",
            " approve",
        ] {
            assert_eq!(text.parse::<Method>(), Err(UnknownMethod), "{text}");
        }
        let message = UnknownMethod.to_string();
        for name in ["approve", "decline", "slow:", "silent", "duplicate", "late:", "flaky:"] {
            assert!(message.contains(name), "{message}");
        }
    }
}
