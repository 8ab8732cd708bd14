//! Baskets from CSV: a text of lines in, orders and dropped lines out. Pure but for the reading.
//!
//! The whole file is read before the first reservation, so a basket's lines need not stand together: a basket stands where its first
//! line stands. `at` is not read, the file's order is the order of events; `unitPrice` only matters to orders, which cost nothing without it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use csv::{ByteRecord, StringRecord};
use event_contracts::Money;
use inventory_core::ids::{CustomerId, OrderId, ProductId};
use inventory_core::limits::LINES_MAX;
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;
use uuid::{Uuid, uuid};

/// Names order ids: UUIDv5 of the basket's id in this namespace, which is itself UUIDv5 of "baskets.holdfast" among DNS names.
const BASKET_NAMESPACE: Uuid = uuid!("0a69bb25-cd6a-543e-b66a-05112d8fe1b8");

/// The order id of a basket.
pub fn order_id(basket_id: &str) -> OrderId {
    OrderId::new(Uuid::new_v5(&BASKET_NAMESPACE, basket_id.as_bytes()))
}

/// One order to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Basket {
    /// The idempotency key.
    pub order: OrderId,
    /// Who buys, if the file says so.
    pub customer: Option<CustomerId>,
    /// What; `None` if every line was dropped.
    pub lines: Option<Lines>,
    /// What one of each costs, by its first line; nothing where the file does not say.
    pub prices: BTreeMap<ProductId, Money>,
}

/// A line that is not reserved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// Which line of the file, its header being line 1.
    pub line: u64,
    /// A stable name of the reason.
    pub reason: &'static str,
    /// What it says, field by field, lossily where it is not UTF-8.
    pub text: String,
}

/// A file's content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BasketFile {
    /// In order of their first line.
    pub baskets: Vec<Basket>,
    /// Lines below the header.
    pub lines_read: u64,
    /// What was left out, in file order.
    pub dropped: Vec<Dropped>,
}

impl BasketFile {
    /// How many lines were dropped for which reason.
    pub fn dropped_by_reason(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for line in &self.dropped {
            *counts.entry(line.reason).or_default() += 1;
        }
        counts
    }
}

/// Why the whole file was refused.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableBaskets {
    /// The header lacks a column.
    #[error("the header has no column {0}; it must have basketId, userId, productId and quantity")]
    Header(&'static str),
    /// The file broke off, or is no CSV.
    #[error("the file could not be read to its end")]
    Csv(#[from] csv::Error),
}

/// Reads baskets. With `baskets_max` the file is read up to the line that would open one more.
pub fn read(source: impl Read, baskets_max: Option<usize>) -> Result<BasketFile, UnreadableBaskets> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let header = Header::parse(reader.byte_headers()?)?;
    let mut collected = Collector { baskets_max, ..Collector::default() };
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        match collected.take(&header, &record) {
            Taken::Kept => {}
            Taken::Dropped(reason) => collected.file.dropped.push(dropped(line, reason, &record)),
            Taken::Enough => break,
        }
        collected.file.lines_read += 1;
    }
    Ok(collected.finish())
}

fn dropped(line: u64, reason: &'static str, record: &ByteRecord) -> Dropped {
    let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
    Dropped { line, reason, text: fields.join(",") }
}

/// Which column is which.
struct Header {
    basket: usize,
    user: usize,
    product: usize,
    quantity: usize,
    price: Option<usize>,
    columns: usize,
}

impl Header {
    fn parse(record: &ByteRecord) -> Result<Self, UnreadableBaskets> {
        let place = |name: &'static str| {
            let found = record.iter().position(|column| column.trim_ascii() == name.as_bytes());
            found.ok_or(UnreadableBaskets::Header(name))
        };
        Ok(Self {
            basket: place("basketId")?,
            user: place("userId")?,
            product: place("productId")?,
            quantity: place("quantity")?,
            price: place("unitPrice").ok(),
            columns: record.len(),
        })
    }

    /// The fields as text, the basket's id among them, or the name of what is wrong.
    fn text(&self, record: &ByteRecord) -> Result<StringRecord, &'static str> {
        if record.len() != self.columns {
            return Err("wrong_column_count");
        }
        let record = StringRecord::from_byte_record(record.clone()).map_err(|_| "not_utf8")?;
        if cell(&record, self.basket).is_empty() { Err("basket_id_missing") } else { Ok(record) }
    }

    /// Who and what, or the name of what is wrong.
    fn line(&self, record: &StringRecord) -> Result<(Option<CustomerId>, Line), &'static str> {
        let user = match cell(record, self.user) {
            "" => None,
            user => Some(CustomerId::parse(user).map_err(|_| "invalid_user")?),
        };
        let product =
            cell(record, self.product).parse().map(ProductId::new).map_err(|_| "invalid_product")?;
        let quantity = match cell(record, self.quantity).parse() {
            Ok(0) => return Err("zero_quantity"),
            Ok(units) => Quantity::new(units).map_err(|_| "invalid_quantity")?,
            Err(_) => return Err("invalid_quantity"),
        };
        Ok((user, Line { product, quantity }))
    }

    fn price(&self, record: &StringRecord) -> Money {
        self.price.and_then(|column| cell(record, column).parse().ok()).unwrap_or_default()
    }
}

fn cell(record: &StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}

/// What became of a line.
enum Taken {
    Kept,
    Dropped(&'static str),
    /// It would open a basket too many.
    Enough,
}

#[derive(Default)]
struct Collector {
    file: BasketFile,
    open: Vec<OpenBasket>,
    places: HashMap<String, usize>,
    baskets_max: Option<usize>,
}

/// A basket that more lines may join. A bad line opens one too: a basket without a usable line is still a basket.
struct OpenBasket {
    order: OrderId,
    /// As its first readable line says.
    customer: Option<Option<CustomerId>>,
    lines: BTreeMap<ProductId, Quantity>,
    prices: BTreeMap<ProductId, Money>,
}

impl Collector {
    fn take(&mut self, header: &Header, record: &ByteRecord) -> Taken {
        let text = match header.text(record) {
            Ok(text) => text,
            Err(reason) => return Taken::Dropped(reason),
        };
        let Some(basket) = self.basket(cell(&text, header.basket)) else { return Taken::Enough };
        let price = header.price(&text);
        match header.line(&text).and_then(|(customer, line)| basket.join(customer, line, price)) {
            Ok(()) => Taken::Kept,
            Err(reason) => Taken::Dropped(reason),
        }
    }

    /// The basket of this id, opened if there is room for one more.
    fn basket(&mut self, basket_id: &str) -> Option<&mut OpenBasket> {
        let place = match self.places.get(basket_id) {
            Some(place) => *place,
            None if self.baskets_max.is_some_and(|max| self.open.len() >= max) => return None,
            None => {
                let order = order_id(basket_id);
                let (lines, prices) = (BTreeMap::new(), BTreeMap::new());
                self.open.push(OpenBasket { order, customer: None, lines, prices });
                self.places.insert(basket_id.to_owned(), self.open.len() - 1);
                self.open.len() - 1
            }
        };
        self.open.get_mut(place)
    }

    fn finish(mut self) -> BasketFile {
        self.file.baskets = self.open.into_iter().map(OpenBasket::close).collect();
        self.file
    }
}

impl OpenBasket {
    fn join(&mut self, customer: Option<CustomerId>, line: Line, price: Money) -> Result<(), &'static str> {
        if self.customer.as_ref().is_some_and(|first| *first != customer) {
            return Err("other_user");
        }
        let sum = match self.lines.get(&line.product) {
            Some(had) => had.checked_add(line.quantity).ok_or("quantity_too_large")?,
            None if self.lines.len() == LINES_MAX => return Err("too_many_lines"),
            None => line.quantity,
        };
        self.customer = Some(customer);
        self.lines.insert(line.product, sum);
        self.prices.entry(line.product).or_insert(price);
        Ok(())
    }

    fn close(self) -> Basket {
        let lines = self.lines.into_iter().map(|(product, quantity)| Line { product, quantity });
        let lines = Lines::new(lines).ok();
        Basket { order: self.order, customer: self.customer.flatten(), lines, prices: self.prices }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "basketId,userId,at,productId,quantity,unitPrice\n";

    fn file(lines: &str) -> BasketFile {
        read(format!("{HEADER}{lines}").as_bytes(), None).unwrap()
    }

    fn line(product: i64, quantity: i64) -> Line {
        Line { product: ProductId::new(product), quantity: Quantity::new(quantity).unwrap() }
    }

    fn lines_of(basket: &Basket) -> Vec<Line> {
        basket.lines.iter().flat_map(Lines::iter).collect()
    }

    #[test]
    fn the_namespace_is_what_its_comment_says() {
        assert_eq!(BASKET_NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"baskets.holdfast"));
        assert_eq!(order_id("32053106851").to_string(), "6f3eaee8-2eb7-5497-b02c-57137e047a03");
    }

    #[test]
    fn interleaved_lines_join_their_basket_where_its_first_line_stands() {
        let file = file("b,1,t,7,1,1.00\na,2,t,9,1,1.00\nb,1,t,3,2,0.00\nb,1,t,7,4,1.00\n");
        assert_eq!(file.lines_read, 4);
        assert_eq!(file.baskets.len(), 2);
        assert_eq!(file.baskets[0].order, order_id("b"));
        assert_eq!(lines_of(&file.baskets[0]), [line(3, 2), line(7, 5)]);
        let prices: Vec<_> = file.baskets[0].prices.values().map(Money::to_string).collect();
        assert_eq!(prices, ["0.00", "1.00"]);
        assert_eq!(file.baskets[1].customer.as_ref().unwrap().as_str(), "2");
    }

    #[test]
    fn a_bad_line_is_dropped_with_its_number_and_reason_and_the_basket_goes_on() {
        let file = file(
            "a,1,t,7,0,1.00\na,1,t,x,1,1.00\na,1,t,7,-2,1.00\na,1,t,7,2147483648,1.00\na,1,t,7\n,1,t,7,1,1.00\na,1,t,8,1,1.00\na,2,t,9,1,1.00\n",
        );
        let told: Vec<_> = file.dropped.iter().map(|bad| (bad.line, bad.reason)).collect();
        assert_eq!(
            told,
            [
                (2, "zero_quantity"),
                (3, "invalid_product"),
                (4, "invalid_quantity"),
                (5, "invalid_quantity"),
                (6, "wrong_column_count"),
                (7, "basket_id_missing"),
                (9, "other_user"),
            ]
        );
        assert_eq!(file.dropped[0].text, "a,1,t,7,0,1.00");
        assert_eq!(lines_of(&file.baskets[0]), [line(8, 1)]);
        assert_eq!(file.dropped_by_reason()["invalid_quantity"], 2);
    }

    #[test]
    fn a_basket_of_bad_lines_alone_is_still_a_basket() {
        let file = file("a,1,t,7,0,1.00\nb,1,t,7,1,1.00\n");
        assert_eq!(file.baskets.len(), 2);
        assert_eq!(file.baskets[0].lines, None);
    }

    #[test]
    fn what_one_order_cannot_hold_is_dropped_and_not_the_order() {
        let many: String = (0..300).map(|product| format!("a,1,t,{product},1,1.00\n")).collect();
        let too_much = "b,1,t,7,2147483647,1.00\nb,1,t,7,1,1.00\n";
        let file = file(&format!("{many}{too_much}"));
        assert_eq!(lines_of(&file.baskets[0]).len(), LINES_MAX);
        assert_eq!(file.dropped_by_reason()["too_many_lines"], 44);
        assert_eq!(file.dropped_by_reason()["quantity_too_large"], 1);
        assert_eq!(lines_of(&file.baskets[1]), [line(7, 2_147_483_647)]);
    }

    #[test]
    fn a_limit_stops_before_the_next_basket() {
        let text = format!("{HEADER}a,1,t,7,1,1.00\na,1,t,8,1,1.00\nb,1,t,7,1,1.00\nc,1,t,7,1,1.00\n");
        let file = read(text.as_bytes(), Some(2)).unwrap();
        assert_eq!((file.baskets.len(), file.lines_read), (2, 3));
    }

    #[test]
    fn a_header_without_a_needed_column_is_refused_by_its_name() {
        let why = read("basketId,userId,productId\n".as_bytes(), None).unwrap_err();
        assert!(why.to_string().contains("no column quantity"));
    }
}
