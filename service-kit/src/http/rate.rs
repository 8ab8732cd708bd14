//! How many requests one client may make a second.
//!
//! A client is an address, of IPv6 a /64: what one customer of a provider has for himself. Behind a proxy every request comes from
//! the proxy's address; there it is the proxy that has to limit.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::problem::Problem;

/// How often clients are forgotten that have not asked for so long that they may make a whole second's requests at once.
const FORGET_PERIOD: Duration = Duration::from_secs(60);
/// Of an IPv6 address, so many bits say who it is.
const IPV6_CLIENT_BITS: u8 = 64;

/// A bound on what one address may ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// Requests a second; as many may come at once.
    pub per_second: NonZeroU32,
    /// Who is not limited.
    pub exempt: Vec<IpNet>,
}

impl RateLimit {
    /// For everybody but this machine: the services of one process call each other, and a proxy beside them limits by itself.
    pub fn new(per_second: NonZeroU32) -> Self {
        Self { per_second, exempt: Self::this_machine().to_vec() }
    }

    /// Addresses of this machine.
    pub fn this_machine() -> [IpNet; 2] {
        [
            Ipv4Net::new_assert([127, 0, 0, 0].into(), 8).into(),
            Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into(),
        ]
    }
}

/// Counts requests by client.
pub(super) struct Limiter {
    limit: RateLimit,
    asked: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        let asked = DefaultKeyedRateLimiter::keyed(Quota::per_second(limit.per_second));
        Self { limit, asked, clock: DefaultClock::default() }
    }

    /// Who asks from this address; nobody who is limited: none.
    pub(super) fn client(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if self.limit.exempt.iter().any(|net| net.contains(&peer)) {
            return None;
        }
        Some(match peer {
            IpAddr::V4(_) => peer,
            IpAddr::V6(address) => Ipv6Net::new_assert(address, IPV6_CLIENT_BITS).network().into(),
        })
    }

    /// Counts a request, or says what its client is to be told.
    pub(super) fn count(&self, client: IpAddr) -> Result<(), Problem> {
        let Err(too_early) = self.asked.check_key(&client) else { return Ok(()) };
        let wait = too_early.wait_time_from(self.clock.now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests",
            format!(
                "Your address may make {} requests a second, and nothing was done for this one. Repeat it after Retry-After.",
                self.limit.per_second
            ),
        )
        .with_retry_after(seconds.max(1)))
    }

    /// Forgets clients that went away, for ever.
    pub(super) async fn forget(&self) -> Infallible {
        loop {
            tokio::time::sleep(FORGET_PERIOD).await;
            self.asked.retain_recent();
            self.asked.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32) -> Limiter {
        Limiter::new(RateLimit::new(NonZeroU32::new(per_second).unwrap()))
    }

    fn client(limiter: &Limiter, address: &str) -> Option<IpAddr> {
        limiter.client(address.parse().unwrap())
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_its_own_and_never_this_machine() {
        let limiter = limiter(1);
        for this_machine in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(client(&limiter, this_machine), None, "{this_machine}");
        }
        assert_eq!(client(&limiter, "::ffff:192.0.2.7"), client(&limiter, "192.0.2.7"));
        assert_ne!(client(&limiter, "192.0.2.7"), client(&limiter, "192.0.2.8"));
        assert_eq!(client(&limiter, "2001:db8::1"), client(&limiter, "2001:db8::ffff:1"));
        assert_ne!(client(&limiter, "2001:db8::1"), client(&limiter, "2001:db8:0:1::1"));
    }

    #[test]
    fn each_client_has_a_second_s_requests_at_once_and_the_rest_is_told_when_to_come_back() {
        let limiter = limiter(1);
        let [one, other] = ["192.0.2.7", "192.0.2.8"].map(|address| client(&limiter, address).unwrap());
        assert!(limiter.count(one).is_ok());
        let refused = limiter.count(one).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (StatusCode::TOO_MANY_REQUESTS, "rate_limited"));
        assert!(limiter.count(other).is_ok(), "another's allowance");
    }
}
