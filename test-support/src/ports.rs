//! Ports for servers that tests start.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Below the range from which the system takes the ports of outgoing connections (32768 and up by default): a
/// server that is down for a while must find its port free again, and a client that keeps knocking at a closed
/// port inside that range may end up connected to itself.
const PORT_FIRST: u16 = 20_000;
const PORTS: u16 = 12_000;

/// A loopback port that nobody listens on now and that this process has not handed out before. Another process may
/// still take it: whoever starts a server on it must be ready to try another one.
pub fn free_port() -> u16 {
    static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..PORTS {
        let (_, random, _, _) = uuid::Uuid::new_v4().as_fields();
        let port = PORT_FIRST + random % PORTS;
        if !handed_out.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            handed_out.insert(port);
            return port;
        }
    }
    panic!("no free loopback port from {PORT_FIRST} to {}", PORT_FIRST + PORTS - 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_port_is_handed_out_twice() {
        let ports: Vec<u16> = (0..50).map(|_| super::free_port()).collect();
        let distinct: std::collections::HashSet<u16> = ports.iter().copied().collect();
        assert_eq!(ports.len(), distinct.len());
    }
}
