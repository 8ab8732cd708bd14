//! Customers who mean no harm.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::shop::{Caller, Shop, StoreKind};

/// The product that honest customers buy, and nobody else.
pub(crate) const HONEST_PRODUCT: i64 = 1;
const STOCK: i64 = 1_000_000;
/// Between two purchases of a customer: shops sell a little all the time.
const PAUSE: Duration = Duration::from_millis(25);
/// How large the process may have become at any time during an attack. Generous: what an attack must not do is grow it with its own size.
const GROWTH_KIB_MAX: u64 = 128 * 1_024;

/// A shop on the embedded store.
pub(crate) async fn shop(settings: &[(&str, &str)]) -> Shop {
    let settings: Vec<_> = settings.iter().copied().chain([("RUST_LOG", "warn")]).collect();
    Shop::open(StoreKind::Sqlite, &settings).await
}

/// Runs an attack while an honest customer buys, each time over a connection of its own: it waits in the same queue as the attackers.
pub(crate) async fn meanwhile<T>(shop: &Shop, attack: impl Future<Output = T>) -> T {
    shop.stock(HONEST_PRODUCT, STOCK).await;
    let before = peak_kib(shop);
    let is_over = AtomicBool::new(false);
    let attack = async {
        let outcome = attack.await;
        is_over.store(true, Ordering::Relaxed);
        outcome
    };
    let (outcome, bought) = tokio::join!(attack, buy_until(shop, &is_over));
    assert_eq!(shop.counts(HONEST_PRODUCT).await, (STOCK - bought, 0, STOCK - bought));
    shop.audit_is_ok().await;
    let after = peak_kib(shop);
    println!("{bought} bought; at most {before} KiB before the attack and {after} KiB with it");
    assert!(after < before + GROWTH_KIB_MAX, "grew from {before} to {after} KiB");
    assert!(!shop.service.log().contains("panicked"), "{}", shop.service.log());
    outcome
}

/// Buys a piece at a time until it is over, and once more then. Fails if any answer is not as it must be.
async fn buy_until(shop: &Shop, is_over: &AtomicBool) -> i64 {
    let customer = Caller::without_keep_alive(&shop.service.url());
    let mut bought = 0;
    loop {
        let was_over = is_over.load(Ordering::Relaxed);
        let order = customer.hold(&[(HONEST_PRODUCT, 1)]).await;
        customer.commit(order).await.is(200);
        bought += 1;
        let given_back = customer.hold(&[(HONEST_PRODUCT, 2)]).await;
        customer.release(given_back).await.is(200);
        if was_over {
            return bought;
        }
        sleep(PAUSE).await;
    }
}

/// The most memory that the process ever had.
fn peak_kib(shop: &Shop) -> u64 {
    let path = format!("/proc/{}/status", shop.service.pid().expect("the process runs"));
    let status = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().unwrap_or_else(|error| panic!("{line}: {error}"))
}
