//! One stream of a snapshot, a row at a time: holds one page.

use futures::future::BoxFuture;

use crate::store::StoreError;
use crate::store::audit_rows::{Page, Snapshot};

type NextPage<R> = for<'a> fn(&'a mut dyn Snapshot) -> BoxFuture<'a, Page<R>>;

pub(super) struct Rows<R> {
    next_page: NextPage<R>,
    page: std::iter::Peekable<std::vec::IntoIter<R>>,
    ended: bool,
}

impl<R> Rows<R> {
    pub(super) fn new(next_page: NextPage<R>) -> Self {
        Self { next_page, page: Vec::new().into_iter().peekable(), ended: false }
    }

    /// The next row, left in the stream.
    pub(super) async fn peek(&mut self, snapshot: &mut dyn Snapshot) -> Result<Option<&R>, StoreError> {
        if self.page.peek().is_none() && !self.ended {
            let page = (self.next_page)(snapshot).await?;
            self.ended = page.is_empty();
            self.page = page.into_iter().peekable();
        }
        Ok(self.page.peek())
    }

    /// The next row, taken.
    pub(super) async fn next(&mut self, snapshot: &mut dyn Snapshot) -> Result<Option<R>, StoreError> {
        self.peek(snapshot).await?;
        Ok(self.page.next())
    }

    /// The next row if its key is `wanted`, or comes before: a stream left behind must not hold up the merge.
    pub(super) async fn next_if(
        &mut self,
        snapshot: &mut dyn Snapshot,
        wanted: impl FnOnce(&R) -> bool,
    ) -> Result<Option<R>, StoreError> {
        self.peek(snapshot).await?;
        Ok(self.page.next_if(wanted))
    }
}
