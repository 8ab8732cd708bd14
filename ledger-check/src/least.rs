//! The least of a range of numbers while ranges of them are lowered: a segment tree.

/// Numbers by place.
#[derive(Debug)]
pub(crate) struct Least {
    size: usize,
    /// The least below each node, without what its parents were lowered by.
    least: Vec<i128>,
    /// What all numbers below each node were lowered by.
    lowered: Vec<i128>,
}

impl Least {
    pub(crate) fn new(numbers: &[i128]) -> Self {
        let size = numbers.len().next_power_of_two();
        let mut least = vec![i128::MAX / 2; 2 * size];
        least[size..size + numbers.len()].copy_from_slice(numbers);
        for node in (1..size).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Self { size, least, lowered: vec![0; 2 * size] }
    }

    /// Lowers the numbers of the first `count` places.
    pub(crate) fn lower(&mut self, count: usize, by: i128) {
        self.lower_in(1, (0, self.size), count, by);
    }

    fn lower_in(&mut self, node: usize, (from, to): (usize, usize), count: usize, by: i128) {
        if from >= count {
            return;
        }
        if to <= count {
            self.least[node] -= by;
            self.lowered[node] += by;
            return;
        }
        let middle = from.midpoint(to);
        self.lower_in(2 * node, (from, middle), count, by);
        self.lower_in(2 * node + 1, (middle, to), count, by);
        self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]) - self.lowered[node];
    }

    /// The least number of places `from..to`; none of an empty range.
    pub(crate) fn of(&self, from: usize, to: usize) -> Option<i128> {
        (from < to).then(|| self.of_in(1, (0, self.size), (from, to)))
    }

    fn of_in(&self, node: usize, (from, to): (usize, usize), range: (usize, usize)) -> i128 {
        if range.1 <= from || to <= range.0 {
            return i128::MAX / 2;
        }
        if range.0 <= from && to <= range.1 {
            return self.least[node];
        }
        let middle = from.midpoint(to);
        let left = self.of_in(2 * node, (from, middle), range);
        let right = self.of_in(2 * node + 1, (middle, to), range);
        left.min(right) - self.lowered[node]
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn ranges_answer_as_a_plain_list_does() {
        let mut dice = StdRng::seed_from_u64(5);
        for size in [1_usize, 2, 3, 7, 8, 33] {
            let mut plain: Vec<i128> = (0..size).map(|_| dice.random_range(-50..50)).collect();
            let mut tree = Least::new(&plain);
            for _ in 0..200 {
                let (count, by) = (dice.random_range(0..=size), dice.random_range(-5..9));
                tree.lower(count, by);
                plain[..count].iter_mut().for_each(|number| *number -= by);
                let from = dice.random_range(0..=size);
                let to = dice.random_range(0..=size);
                let expected = plain.get(from..to).and_then(|range| range.iter().min().copied());
                assert_eq!(tree.of(from, to), expected, "{from}..{to} of {plain:?}");
            }
        }
    }
}
