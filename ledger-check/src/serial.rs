//! The serial order: batches so that every product's versions stand in order, by the ledger's clock where products say nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use inventory_core::clock::Timestamp;

use crate::findings::Findings;
use crate::journal::{BatchAt, Journal};
use crate::violation::Violation;

/// A serial order of all batches.
#[derive(Debug)]
pub(crate) struct Serial {
    /// Batches in order.
    pub(crate) order: Vec<BatchAt>,
    /// The place of each batch in `order`.
    pub(crate) place: Vec<usize>,
    /// Batches with one number happened, as far as anyone can tell, at the same time.
    pub(crate) group: Vec<usize>,
    /// (earlier, later): neighbours in a product's chain.
    pub(crate) edges: Vec<Edge>,
}

/// One batch directly before another, by a product.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) from: BatchAt,
    pub(crate) to: BatchAt,
    product: i64,
}

/// Orders the batches; a cycle is a violation, and its batches come last, by time.
pub(crate) fn order(journal: &Journal, findings: &mut Findings) -> Serial {
    let edges = edges(journal);
    let count = journal.entries.len();
    let mut first_edge = vec![0; count + 1];
    let mut waiting_for = vec![0_usize; count];
    for edge in &edges {
        first_edge[edge.from + 1] += 1;
        waiting_for[edge.to] += 1;
    }
    for at in 0..count {
        first_edge[at + 1] += first_edge[at];
    }
    let mut ready: BinaryHeap<Reverse<(Timestamp, BatchAt)>> =
        (0..count).filter(|at| waiting_for[*at] == 0).map(|at| Reverse((journal.at(at), at))).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse((_, at))) = ready.pop() {
        order.push(at);
        for edge in &edges[first_edge[at]..first_edge[at + 1]] {
            waiting_for[edge.to] -= 1;
            if waiting_for[edge.to] == 0 {
                ready.push(Reverse((journal.at(edge.to), edge.to)));
            }
        }
    }
    if order.len() < count {
        findings.add(find_cycle(journal, &edges, &waiting_for));
        order.extend((0..count).filter(|at| waiting_for[*at] > 0));
    }
    let mut place = vec![0; count];
    for (at, batch) in order.iter().enumerate() {
        place[*batch] = at;
    }
    let group = groups(journal, &order, &edges);
    Serial { order, place, group, edges }
}

/// Sorted by where they start.
fn edges(journal: &Journal) -> Vec<Edge> {
    let mut edges: Vec<Edge> = journal
        .chains
        .iter()
        .flat_map(|chain| {
            chain.versions.windows(2).map(|pair| Edge {
                from: pair[0].batch,
                to: pair[1].batch,
                product: chain.product,
            })
        })
        .filter(|edge| edge.from != edge.to)
        .collect();
    edges.sort_unstable();
    edges
}

/// A batch begins a new group when its time differs from the last one's, or when a batch of the group comes before it.
fn groups(journal: &Journal, order: &[BatchAt], edges: &[Edge]) -> Vec<usize> {
    let mut before: Vec<Vec<BatchAt>> = vec![Vec::new(); order.len()];
    for edge in edges {
        before[edge.to].push(edge.from);
    }
    let mut group = vec![usize::MAX; order.len()];
    let (mut present, mut time) = (0, None);
    for batch in order {
        let at = Some(journal.at(*batch));
        if at != time || before[*batch].iter().any(|earlier| group[*earlier] == present) {
            present += 1;
            time = at;
        }
        group[*batch] = present;
    }
    group
}

/// Every batch that is left waits for another that is left: going back from any of them must come round.
fn find_cycle(journal: &Journal, edges: &[Edge], waiting_for: &[usize]) -> Violation {
    let mut back: Vec<Option<Edge>> = vec![None; waiting_for.len()];
    for edge in edges.iter().filter(|edge| waiting_for[edge.from] > 0 && waiting_for[edge.to] > 0) {
        back[edge.to] = Some(*edge);
    }
    let mut at = waiting_for.iter().position(|waits| *waits > 0).unwrap_or_default();
    let mut seen = vec![false; waiting_for.len()];
    while let Some(edge) = back[at].filter(|_| !seen[at]) {
        seen[at] = true;
        at = edge.from;
    }
    let (mut batches, mut products) = (Vec::new(), Vec::new());
    let start = at;
    while let Some(edge) = back[at] {
        batches.push(journal.id(at));
        products.push(edge.product);
        at = edge.from;
        if at == start {
            break;
        }
    }
    batches.reverse();
    products.sort_unstable();
    products.dedup();
    Violation::Cycle { batches, products }
}
