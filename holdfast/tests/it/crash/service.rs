//! The service is killed with SIGKILL while everybody buys.

use crate::crash::fleet::Fleet;
use crate::shop::{Shop, on_every_store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_i6_what_was_acknowledged_survives_a_killed_service() {
    on_every_store(async |mut shop: Shop| {
        let fleet = Fleet::send_off(&[shop.caller.clone()]).await;
        for _ in 0..3 {
            fleet.until_acknowledged(300).await;
            shop.service.kill9().await.expect("it dies");
            shop.service.start_again().await.expect("it starts again");
        }
        fleet.until_acknowledged(100).await;
        let mut told = fleet.come_home().await;
        assert!(told.cut_off > 0, "nobody noticed the crash: the test has shown nothing");
        told.check(&shop.caller).await;
        told.settle_doubts_and_check(&shop.caller).await;
    })
    .await;
}
