//! How many requests one client may make a second.
//!
//! A client is an address, of IPv6 a /64: what one customer of a provider has for himself. Behind a proxy every request comes from
//! the proxy's address; there it is the proxy that has to limit.

use std::convert::Infallible;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use ipnet::{IpNet, Ipv6Net};

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

    /// What a client at this address may ask for; none: everything.
    pub(super) fn allowance(self: &Arc<Self>, peer: IpAddr) -> Option<Allowance> {
        Some(Allowance { client: self.client(peer)?, limiter: self.clone() })
    }

    /// Who asks from this address; nobody who is limited: none.
    fn client(&self, peer: IpAddr) -> Option<IpAddr> {
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
    fn count(&self, client: IpAddr) -> Result<(), Problem> {
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

/// A client whose requests are counted.
#[derive(Clone)]
pub(super) struct Allowance {
    client: IpAddr,
    limiter: Arc<Limiter>,
}

impl Allowance {
    /// Counts a request for this path, or says what the client is to be told.
    pub(super) fn count(&self, path: &str) -> Result<(), Problem> {
        if is_watched(path) { Ok(()) } else { self.limiter.count(self.client) }
    }
}

/// What those ask who look after the service, at any time.
fn is_watched(path: &str) -> bool {
    path.starts_with("/health/") || path == "/metrics"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(per_second: u32) -> Limiter {
        let exempt = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec();
        Limiter::new(RateLimit { per_second: per_second.try_into().unwrap(), exempt })
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
