//! The run itself: reserve, then what fate decided. A basket that gets no answer stops the run: its digest would mean nothing.

use std::time::Duration;

use futures::{StreamExt, stream};
use inventory_core::engine::ReserveRequest;
use inventory_core::ids::OrderId;

use super::summary::{BasketOutcome, Tally};
use super::{Basket, Fate, Fates};
use crate::ledger::{Admission, Ending, Ledger, Unanswered};

/// How a replay goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What becomes of holds.
    pub fates: Fates,
    /// How long holds last.
    pub ttl: Duration,
    /// Baskets under way at a time; at least one.
    pub concurrency: usize,
}

/// How far a run is.
pub type Progress<'a> = &'a (dyn Fn(&Tally) + Sync);

/// A basket got no answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "order {order} got no answer to its {step}, and the replay stopped there; a new run continues safely, since orders keep their ids"
)]
pub struct ReplayError {
    order: OrderId,
    step: &'static str,
    #[source]
    source: Unanswered,
}

/// Replays baskets in order and counts what came of them.
pub async fn run(
    ledger: &dyn Ledger,
    baskets: &[Basket],
    plan: &Plan,
    progress: Progress<'_>,
) -> Result<Tally, ReplayError> {
    let mut tally = Tally::default();
    let mut outcomes = stream::iter(baskets.iter().map(|basket| replay_one(ledger, basket, plan)))
        .buffered(plan.concurrency.max(1));
    while let Some(outcome) = outcomes.next().await {
        let (order, outcome) = outcome?;
        tally.count(order, &outcome);
        progress(&tally);
    }
    Ok(tally)
}

async fn replay_one(
    ledger: &dyn Ledger,
    basket: &Basket,
    plan: &Plan,
) -> Result<(OrderId, BasketOutcome), ReplayError> {
    let order = basket.order;
    let stopped = |step| move |source| ReplayError { order, step, source };
    let Some(lines) = basket.lines.clone() else { return Ok((order, BasketOutcome::Empty)) };
    let request = ReserveRequest { order, lines, customer: basket.customer.clone(), ttl: Some(plan.ttl) };
    let admission = ledger.reserve(&request).await.map_err(stopped("reserve"))?;
    if let Admission::Refused(code) = admission {
        return Ok((order, BasketOutcome::Refused(code)));
    }
    let fate = plan.fates.of(order);
    let ending = match fate {
        Fate::Commit => ledger.commit(order).await.map_err(stopped("commit"))?,
        Fate::Release => ledger.release(order).await.map_err(stopped("release"))?,
        Fate::Leave => Ending::Done,
    };
    Ok((order, BasketOutcome::Held { is_replay: admission == Admission::Replayed, fate, ending }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use inventory_core::ids::ProductId;
    use inventory_core::lines::Lines;

    use super::super::{BasketFile, read};
    use super::*;
    use crate::cli::Format;
    use crate::ledger::{AuditReport, Change, ImportReport, ProductNow};

    /// A shop of one product per shelf; knows the few rules that a replay meets.
    #[derive(Default)]
    struct Shop {
        state: Mutex<State>,
        /// Answers stop after so many calls.
        calls_left: Option<usize>,
    }

    #[derive(Default)]
    struct State {
        free: BTreeMap<i64, i64>,
        holds: BTreeMap<OrderId, (Lines, &'static str)>,
        calls: usize,
    }

    impl Shop {
        fn stocked(units: i64) -> Self {
            let free = (1..=9).map(|product| (product, units)).collect();
            Self { state: Mutex::new(State { free, ..State::default() }), calls_left: None }
        }

        fn enter(&self) -> Result<std::sync::MutexGuard<'_, State>, Unanswered> {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            if self.calls_left.is_some_and(|left| state.calls > left) {
                return Err(Unanswered { is_transient: false, message: "gone".to_owned(), source: None });
            }
            Ok(state)
        }

        fn end(&self, order: OrderId, to: &'static str, gives_back: bool) -> Result<Ending, Unanswered> {
            let mut state = self.enter()?;
            let (lines, status) = state.holds.get(&order).cloned().unwrap();
            if status == "HELD" && gives_back {
                for line in lines.iter() {
                    *state.free.get_mut(&line.product.get()).unwrap() += line.quantity.units().get();
                }
            }
            state.holds.insert(order, (lines, to));
            Ok(Ending::Done)
        }
    }

    #[async_trait]
    impl Ledger for Shop {
        fn place(&self) -> &str {
            "a shop"
        }
        fn is_embedded(&self) -> bool {
            true
        }
        async fn reserve(&self, request: &ReserveRequest) -> Result<Admission, Unanswered> {
            let mut state = self.enter()?;
            match state.holds.get(&request.order) {
                Some((_, "RELEASED")) => return Ok(Admission::Refused("already_released".to_owned())),
                Some(_) => return Ok(Admission::Replayed),
                None => {}
            }
            let free = |product: ProductId| state.free.get(&product.get()).copied();
            if request.lines.iter().any(|line| free(line.product).is_none()) {
                return Ok(Admission::Refused("product_not_found".to_owned()));
            }
            if request.lines.iter().any(|line| free(line.product) < Some(line.quantity.units().get())) {
                return Ok(Admission::Refused("insufficient_stock".to_owned()));
            }
            for line in request.lines.iter() {
                *state.free.get_mut(&line.product.get()).unwrap() -= line.quantity.units().get();
            }
            state.holds.insert(request.order, (request.lines.clone(), "HELD"));
            Ok(Admission::Admitted)
        }
        async fn commit(&self, order: OrderId) -> Result<Ending, Unanswered> {
            self.end(order, "COMMITTED", false)
        }
        async fn release(&self, order: OrderId) -> Result<Ending, Unanswered> {
            self.end(order, "RELEASED", true)
        }
        async fn import(
            &self,
            _rows: Box<dyn Read + Send>,
            _format: Format,
            _stored: &(dyn Fn(u64) + Sync),
        ) -> anyhow::Result<ImportReport> {
            Ok(ImportReport::default())
        }
        async fn product(&self, _product: ProductId) -> Result<Option<ProductNow>, Unanswered> {
            Ok(None)
        }
        async fn changes(
            &self,
            _product: ProductId,
            _from: u64,
            _limit: usize,
        ) -> Result<Vec<Change>, Unanswered> {
            Ok(Vec::new())
        }
        async fn audit(&self) -> anyhow::Result<AuditReport> {
            Ok(AuditReport::default())
        }
        async fn close(&self) {}
    }

    fn baskets(count: usize) -> BasketFile {
        let mut text = "basketId,userId,productId,quantity\n".to_owned();
        for basket in 0..count {
            for product in [basket % 9 + 1, basket % 4 + 1] {
                text.push_str(&format!("{basket},u{},{product},{}\n", basket % 7, basket % 3 + 1));
            }
        }
        read(text.as_bytes(), None).unwrap()
    }

    fn plan(commit: u8, release: u8) -> Plan {
        Plan { fates: Fates::new(1, commit, release).unwrap(), ttl: Duration::from_secs(60), concurrency: 1 }
    }

    async fn replay(shop: &Shop, plan: &Plan) -> Tally {
        run(shop, &baskets(500).baskets, plan, &|_| {}).await.unwrap()
    }

    #[tokio::test]
    async fn two_runs_over_stores_that_began_alike_have_the_same_digest() {
        let first = replay(&Shop::stocked(100), &plan(80, 15)).await;
        let second = replay(&Shop::stocked(100), &plan(80, 15)).await;
        assert_eq!(first, second);
        assert!(first.admitted > 0 && first.refused["insufficient_stock"] > 0);
        assert!(first.committed > 0 && first.released > 0 && first.left > 0);
        assert_eq!(first.admitted, first.committed + first.released + first.left);
        assert_eq!(first.admitted + first.refused.values().sum::<u64>(), 500);
    }

    #[tokio::test]
    async fn one_unit_more_or_another_fate_changes_the_digest() {
        let base = replay(&Shop::stocked(100), &plan(80, 15)).await.digest;
        assert_ne!(base, replay(&Shop::stocked(101), &plan(80, 15)).await.digest);
        assert_ne!(base, replay(&Shop::stocked(100), &plan(0, 100)).await.digest);
    }

    #[tokio::test]
    async fn concurrency_counts_in_file_order() {
        let plenty = |concurrency| Plan { concurrency, ..plan(100, 0) };
        let one = replay(&Shop::stocked(1_000_000), &plenty(1)).await;
        assert_eq!(one, replay(&Shop::stocked(1_000_000), &plenty(16)).await);
    }

    #[tokio::test]
    async fn a_second_run_over_the_same_store_is_told_apart() {
        let shop = Shop::stocked(1_000_000);
        assert_eq!(replay(&shop, &plan(50, 50)).await.replayed, 0);
        let again = replay(&shop, &plan(50, 50)).await;
        assert_eq!(again.admitted, 0);
        assert!(again.replayed > 0 && again.refused["already_released"] > 0);
    }

    #[tokio::test]
    async fn a_basket_without_an_answer_stops_the_run_and_is_named() {
        let shop = Shop { calls_left: Some(10), ..Shop::stocked(1_000) };
        let why = run(&shop, &baskets(500).baskets, &plan(100, 0), &|_| {}).await.unwrap_err();
        assert!(why.to_string().contains("got no answer"), "{why}");
        assert_eq!(shop.state.lock().unwrap().calls, 11);
    }

    #[tokio::test]
    async fn a_basket_without_a_usable_line_is_counted_and_not_sent() {
        let file = read("basketId,userId,productId,quantity\na,1,1,0\nb,1,1,1\n".as_bytes(), None).unwrap();
        let shop = Shop::stocked(5);
        let tally = run(&shop, &file.baskets, &plan(100, 0), &|_| {}).await.unwrap();
        assert_eq!((tally.baskets, tally.empty, tally.admitted), (2, 1, 1));
        assert_eq!(shop.state.lock().unwrap().holds.len(), 1);
    }
}
