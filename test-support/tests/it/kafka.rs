use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::kafka::{is_real, own};
use tokio::time::{sleep, timeout};

fn listens(address: &str) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn a_broker_stops_and_starts_again_on_its_port() {
    let Some(mut broker) = own("a broker that stops and starts").await else { return };
    let address = broker.address();
    assert!(listens(&address));
    broker.stop().await.expect("it stops in order");
    assert!(!listens(&address));
    broker.start_again().await.expect("it starts again");
    assert!(listens(&address));
    broker.kill9().await.expect("it dies");
    assert!(!listens(&address));
    broker.start_again().await.expect("it recovers");
    assert_eq!(broker.address(), address);
    assert!(listens(&address));
}

#[tokio::test]
async fn a_broker_ends_with_its_process_even_if_that_one_is_killed() {
    if !is_real("a broker that ends with its process") {
        return;
    }
    let mut holder = Command::new(env!("CARGO_BIN_EXE_hold-a-broker"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the helper starts");
    let mut address = String::new();
    let stdout = holder.stdout.take().expect("it was piped");
    BufReader::new(stdout).read_line(&mut address).expect("the helper prints a line");
    assert!(listens(address.trim()));
    holder.kill().expect("SIGKILL");
    holder.wait().expect("it is dead");
    let gone = timeout(Duration::from_secs(60), async {
        while listens(address.trim()) {
            sleep(Duration::from_millis(50)).await;
        }
    });
    gone.await.expect("nobody listens any more");
}
