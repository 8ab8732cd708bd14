//! Small sets of small things.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use order_service::saga::Action;

/// What a set can have in it.
pub(super) trait Element: Copy + fmt::Debug + 'static {
    /// All there are, at most 16.
    const ALL: &'static [Self];
    /// Its place among them.
    fn place(self) -> usize;
}

impl Element for Action {
    const ALL: &'static [Self] = &Action::ALL;

    fn place(self) -> usize {
        self as usize
    }
}

/// A set.
pub(super) struct Bits<T>(u16, PhantomData<T>);

impl<T: Element> Bits<T> {
    pub(super) const NONE: Self = Self(0, PhantomData);

    pub(super) fn has(self, element: T) -> bool {
        self.0 >> element.place() & 1 == 1
    }

    pub(super) fn insert(&mut self, element: T) {
        self.0 |= 1 << element.place();
    }

    pub(super) fn remove(&mut self, element: T) {
        self.0 &= !(1 << element.place());
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0, PhantomData)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0, PhantomData)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |element| self.has(*element))
    }
}

impl<T: Element> FromIterator<T> for Bits<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut set = Self::NONE;
        elements.into_iter().for_each(|element| set.insert(element));
        set
    }
}

impl<T> Clone for Bits<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Bits<T> {}

impl<T> PartialEq for Bits<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Bits<T> {}

impl<T> Hash for Bits<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T: Element> fmt::Debug for Bits<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
