//! What buyers ask for: the same requests for every peer, from the same seed.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use flate2::read::MultiGzDecoder;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Zipf};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Products of the workloads that spread.
pub const PRODUCTS: i64 = 10_000;
/// How skewed: what YCSB takes.
const ZIPF_EXPONENT: f64 = 0.99;
/// Coprime to [`PRODUCTS`]: popular products do not stand side by side.
const STRIDE: i64 = 7_919;

/// The workload of a program that has one.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// Which products are asked for.
    #[arg(long, default_value = "hot")]
    workload: Shape,
    /// How order ids are made.
    #[arg(long, default_value = "time-ordered")]
    ids: Ids,
}

impl Asked {
    /// See [`Workload::new`].
    pub fn workload(&self) -> Result<Workload> {
        Workload::new(self.workload, self.ids)
    }
}

/// Which products are asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One product: the flash sale.
    Hot,
    /// 10,000 products, all equally popular.
    Spread,
    /// 10,000 products, popular by Zipf's law with exponent 0.99.
    Zipf,
    /// The baskets of data/retail, each whole, in the file's order.
    Baskets,
}

/// How order ids are made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ids {
    /// Version 7: new keys go to the end of an index.
    TimeOrdered,
    /// Version 4: new keys go anywhere.
    Random,
}

/// Requests to be: which, and how many differ.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Which products are asked for.
    pub shape: Shape,
    /// How order ids are made.
    pub ids: Ids,
    products: Arc<[ProductId]>,
    baskets: Arc<[Lines]>,
}

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The idempotency key.
    pub order: OrderId,
    /// All of it or nothing; sorted by product, each product once.
    pub lines: Lines,
}

impl Request {
    /// Units of all lines.
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity.units().get()).sum()
    }
}

/// The requests of one caller, without end.
#[derive(Debug)]
pub struct Walker {
    workload: Workload,
    random: StdRng,
    zipf: Option<Zipf<f64>>,
    next_basket: usize,
}

impl Workload {
    /// Reads the baskets if they are asked for.
    pub fn new(shape: Shape, ids: Ids) -> Result<Self> {
        let baskets = match shape {
            Shape::Baskets => {
                let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/retail/baskets.csv.gz"));
                let file = File::open(path).context("opening the baskets of data/retail")?;
                baskets(MultiGzDecoder::new(file)).context("reading the baskets of data/retail")?
            }
            Shape::Hot | Shape::Spread | Shape::Zipf => Vec::new(),
        };
        let products = match shape {
            Shape::Hot => vec![ProductId::new(1)],
            Shape::Spread | Shape::Zipf => (1..=PRODUCTS).map(ProductId::new).collect(),
            Shape::Baskets => {
                let mut all: Vec<ProductId> =
                    baskets.iter().flat_map(|lines| lines.iter().map(|line| line.product)).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        };
        Ok(Self { shape, ids, products: products.into(), baskets: baskets.into() })
    }

    /// Whatever may be asked for, sorted.
    pub fn products(&self) -> &[ProductId] {
        &self.products
    }

    /// The same, most popular first where that is known.
    pub fn by_popularity(&self) -> Vec<ProductId> {
        match self.shape {
            Shape::Zipf => (1..=PRODUCTS).map(|rank| ProductId::new(product_of_rank(rank))).collect(),
            Shape::Hot | Shape::Spread | Shape::Baskets => self.products.to_vec(),
        }
    }

    /// The baskets, in the file's order; none for the other shapes.
    pub fn baskets(&self) -> &[Lines] {
        &self.baskets
    }

    /// The requests of caller `number` of `callers`. Everything but the time in time-ordered ids follows from the seed.
    pub fn walker(&self, seed: u64, number: usize, callers: usize) -> Result<Walker> {
        let mut random = StdRng::seed_from_u64(seed);
        // Far apart for callers side by side: seeds are mixed by the generator, not by us.
        let own: u64 = random.random();
        let random = StdRng::seed_from_u64(own.wrapping_add(number as u64));
        let zipf = match self.shape {
            Shape::Zipf => Some(Zipf::new(PRODUCTS as f64, ZIPF_EXPONENT)?),
            Shape::Hot | Shape::Spread | Shape::Baskets => None,
        };
        let next_basket = self.baskets.len() * number / callers.max(1);
        Ok(Walker { workload: self.clone(), random, zipf, next_basket })
    }
}

impl Walker {
    /// The next request, with an order id that nobody had before.
    pub fn next_request(&mut self) -> Request {
        let lines = match self.workload.shape {
            Shape::Hot => one(1),
            Shape::Spread => one(self.random.random_range(1..=PRODUCTS)),
            Shape::Zipf => one(self.zipf_product()),
            Shape::Baskets => self.basket(),
        };
        Request { order: OrderId::new(self.order()), lines }
    }

    fn order(&mut self) -> Uuid {
        match self.workload.ids {
            Ids::TimeOrdered => Uuid::now_v7(),
            Ids::Random => uuid::Builder::from_random_bytes(self.random.random()).into_uuid(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a rank: a whole number from 1 to PRODUCTS")]
    fn zipf_product(&mut self) -> i64 {
        let rank = self.zipf.map_or(1.0, |zipf| zipf.sample(&mut self.random)) as i64;
        product_of_rank(rank)
    }

    fn basket(&mut self) -> Lines {
        let baskets = &self.workload.baskets;
        let at = self.next_basket % baskets.len().max(1);
        self.next_basket = at + 1;
        baskets.get(at).cloned().unwrap_or_default()
    }
}

fn one(product: i64) -> Lines {
    Lines::one(ProductId::new(product), Quantity::ONE)
}

fn product_of_rank(rank: i64) -> i64 {
    1 + (rank - 1) * STRIDE % PRODUCTS
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    basket_id: u64,
    product_id: i64,
    quantity: i64,
}

/// Baskets whose lines stand together; lines of a quantity of zero are left out, and with them baskets that have no other.
fn baskets(file: impl Read) -> Result<Vec<Lines>> {
    let mut baskets = Vec::new();
    let (mut current, mut lines) = (None, Vec::new());
    for row in csv::Reader::from_reader(file).deserialize() {
        let row: Row = row?;
        if current.replace(row.basket_id) != Some(row.basket_id) && !lines.is_empty() {
            baskets.push(Lines::new(std::mem::take(&mut lines))?);
        }
        if row.quantity > 0 {
            let quantity = Quantity::new(row.quantity)?;
            lines.push(Line { product: ProductId::new(row.product_id), quantity });
        }
    }
    if !lines.is_empty() {
        baskets.push(Lines::new(lines)?);
    }
    Ok(baskets)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn requests(shape: Shape, ids: Ids, seed: u64, number: usize, count: usize) -> Vec<Request> {
        let workload = Workload::new(shape, ids).unwrap();
        let mut walker = workload.walker(seed, number, 4).unwrap();
        (0..count).map(|_| walker.next_request()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_requests() {
        for shape in [Shape::Hot, Shape::Spread, Shape::Zipf, Shape::Baskets] {
            let first = requests(shape, Ids::Random, 7, 1, 200);
            assert_eq!(first, requests(shape, Ids::Random, 7, 1, 200));
            let other = requests(shape, Ids::Random, 8, 1, 200);
            assert!(first.iter().zip(&other).all(|(one, other)| one.order != other.order));
        }
    }

    #[test]
    fn callers_ask_for_different_things() {
        let first = requests(Shape::Spread, Ids::Random, 7, 0, 200);
        let second = requests(Shape::Spread, Ids::Random, 7, 1, 200);
        assert_ne!(
            first.iter().map(|request| &request.lines).collect::<Vec<_>>(),
            second.iter().map(|request| &request.lines).collect::<Vec<_>>()
        );
        let orders: HashSet<_> = first.iter().chain(&second).map(|request| request.order).collect();
        assert_eq!(orders.len(), 400);
    }

    #[test]
    fn time_ordered_ids_ascend_and_random_ones_do_not() {
        let ids = |ids| {
            requests(Shape::Hot, ids, 1, 0, 100)
                .into_iter()
                .map(|request| request.order.get())
                .collect::<Vec<_>>()
        };
        let (ordered, random) = (ids(Ids::TimeOrdered), ids(Ids::Random));
        assert!(ordered.is_sorted() && ordered.iter().all(|id| id.get_version_num() == 7));
        assert!(!random.is_sorted() && random.iter().all(|id| id.get_version_num() == 4));
    }

    #[test]
    fn zipf_is_skewed_and_even_is_not() {
        let most_popular = |shape| {
            let mut counts: HashMap<Lines, usize> = HashMap::new();
            for request in requests(shape, Ids::Random, 3, 0, 20_000) {
                *counts.entry(request.lines).or_default() += 1;
            }
            counts.into_values().max().unwrap()
        };
        // A tenth of all by the law; two of 20,000 if all were equal.
        assert!((1_600..2_500).contains(&most_popular(Shape::Zipf)));
        assert!(most_popular(Shape::Spread) < 20);
    }

    #[test]
    fn every_rank_has_a_product_of_its_own() {
        let products: HashSet<i64> = (1..=PRODUCTS).map(product_of_rank).collect();
        assert_eq!(products.len(), 10_000);
        assert!(products.iter().all(|product| (1..=PRODUCTS).contains(product)));
    }

    #[test]
    fn the_baskets_are_those_of_the_file() {
        let workload = Workload::new(Shape::Baskets, Ids::Random).unwrap();
        // 12,981 in the file, 30 of which have only lines of zero; 697 of its 124,768 lines are.
        assert_eq!(workload.baskets().len(), 12_951);
        assert_eq!(workload.baskets().iter().map(Lines::len).sum::<usize>(), 124_071);
        let first = requests(Shape::Baskets, Ids::Random, 1, 0, 1).remove(0).lines;
        assert_eq!(first.quantity_of(ProductId::new(861_279)), Some(Quantity::ONE));
        assert_eq!(first.quantity_of(ProductId::new(932_863)).map(Quantity::get), Some(2));
        assert!(workload.products().is_sorted());
    }

    #[test]
    fn callers_share_the_baskets_out_and_begin_again_at_the_end() {
        let workload = Workload::new(Shape::Baskets, Ids::Random).unwrap();
        let mut last = workload.walker(1, 3, 4).unwrap();
        let quarter = workload.baskets().len() * 3 / 4;
        assert_eq!(last.next_request().lines, workload.baskets()[quarter]);
        for _ in quarter + 1..workload.baskets().len() {
            last.next_request();
        }
        assert_eq!(last.next_request().lines, workload.baskets()[0]);
    }
}
