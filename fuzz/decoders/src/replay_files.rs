//! Baskets to replay.

use holdfast::replay::read;

use crate::promises;

/// Reads `bytes` as a file of baskets, all of it and the first three.
pub fn run(bytes: &[u8]) {
    let all = match read(bytes, None) {
        Ok(file) => file,
        Err(error) => return promises::advice(&error.to_string()),
    };
    for basket in &all.baskets {
        basket.lines.iter().for_each(promises::lines);
        basket.customer.iter().for_each(|customer| promises::text(customer.as_str()));
        let products = basket.lines.iter().flat_map(|lines| lines.iter()).map(|line| line.product);
        assert!(products.eq(basket.prices.keys().copied()), "a price for each: {basket:?}");
    }
    assert!(all.dropped.len() as u64 <= all.lines_read);
    assert!(all.dropped.iter().all(|line| line.line >= 1 && !line.reason.is_empty()));
    assert!(all.dropped.is_sorted_by_key(|line| line.line));
    let few = read(bytes, Some(3)).expect("the same file, shorter");
    assert_eq!(few.baskets.len(), all.baskets.len().min(3));
    let orders =
        |baskets: &[holdfast::replay::Basket]| baskets.iter().map(|basket| basket.order).collect::<Vec<_>>();
    assert!(orders(&all.baskets).starts_with(&orders(&few.baskets)));
}
