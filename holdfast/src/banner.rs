//! The first thing a person sees.

use std::net::SocketAddr;

use console::style;
use indicatif::HumanCount;
use inventory_core::ids::ProductId;
use uuid::Uuid;

use service_kit::telemetry::LogFormat;

use crate::config::Settings;
use crate::data_dir::reachable_url;

/// What the inventory has to show.
pub(crate) struct Shown {
    /// Where the data is, without secrets.
    pub(crate) place: String,
    /// How many products the first start imported.
    pub(crate) demo: Option<u64>,
    /// A product that exists.
    pub(crate) sample: Option<ProductId>,
}

/// The parts of this process and where they listen.
type Parts = [(&'static str, SocketAddr)];

/// Greets people; machines read the log.
pub(crate) fn show(settings: &Settings, parts: &Parts, shown: Option<&Shown>) {
    if settings.log_format == LogFormat::Text {
        eprint!("{}", render(parts, shown, Uuid::new_v4()));
    }
}

fn render(parts: &Parts, shown: Option<&Shown>, order: Uuid) -> String {
    let title = style("Holdfast").for_stderr().bold().cyan();
    let mut text =
        format!("\n  {title} {} — stock reservations that never oversell\n\n", env!("CARGO_PKG_VERSION"));
    let mut row = |name: &str, value: &str| {
        text.push_str(&format!("  {} {value}\n", style(format!("{name:<9}")).for_stderr().dim()));
    };
    for (name, addr) in parts {
        row(name, &format!("{url}   docs {url}/docs", url = reachable_url(*addr)));
    }
    if let Some(shown) = shown {
        row("Data", &shown.place);
        if let Some(count) = shown.demo {
            let count = HumanCount(count);
            row("Demo", &format!("the inventory was empty, {count} demo products were imported"));
        }
    }
    let url_of =
        |part: &str| parts.iter().find(|(name, _)| *name == part).map(|(_, addr)| reachable_url(*addr));
    if let (Some(url), Some(product)) = (url_of("inventory"), shown.and_then(|shown| shown.sample)) {
        row("Look", &format!("curl {url}/api/v1/inventory/{product}"));
        match url_of("orders") {
            Some(orders) => order_rows(&mut row, &orders, product, order),
            None => reserve_rows(&mut row, &url, product, order),
        }
    } else if let Some((_, addr)) = parts.first() {
        row("Try", &format!("curl {}/health/ready", reachable_url(*addr)));
    }
    row("Stop", "Ctrl-C; what is stored stays");
    text.push('\n');
    text
}

fn reserve_rows(row: &mut impl FnMut(&str, &str), url: &str, product: ProductId, order: Uuid) {
    row("Reserve", &format!("curl {url}/api/v1/inventory/reserve -H 'content-type: application/json' \\"));
    let body = format!("{{\"orderId\":\"{order}\",\"items\":[{{\"productId\":{product},\"quantity\":2}}]}}");
    row("", &format!("  -d '{body}'"));
}

fn order_rows(row: &mut impl FnMut(&str, &str), url: &str, product: ProductId, key: Uuid) {
    row("Order", &format!("curl {url}/api/v1/orders -H 'content-type: application/json' \\"));
    row("", &format!("  -H 'Idempotency-Key: {key}' \\"));
    let item = format!("{{\"productId\":{product},\"quantity\":2,\"unitPrice\":\"4.20\"}}");
    row("", &format!("  -d '{{\"userId\":\"ada\",\"items\":[{item}]}}'"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(parts: &[&'static str], sample: Option<ProductId>) -> String {
        let parts: Vec<_> =
            parts.iter().zip(8083..).map(|(name, port)| (*name, ([0, 0, 0, 0], port).into())).collect();
        let shown = Shown { place: "./data/inventory.db (SQLite)".to_owned(), demo: None, sample };
        let text = render(&parts, Some(&shown), Uuid::nil());
        console::strip_ansi_codes(&text).into_owned()
    }

    #[test]
    fn what_is_shown_can_be_called_as_it_stands() {
        let text = rendered(&["inventory"], Some(ProductId::new(7)));
        assert!(text.contains("curl http://127.0.0.1:8083/api/v1/inventory/7\n"), "{text}");
        assert!(text.contains(
            r#"'{"orderId":"00000000-0000-0000-0000-000000000000","items":[{"productId":7,"quantity":2}]}'"#
        ));
    }

    #[test]
    fn with_orders_an_order_is_shown() {
        let text = rendered(&["inventory", "orders"], Some(ProductId::new(7)));
        assert!(text.contains("curl http://127.0.0.1:8084/api/v1/orders -H"), "{text}");
        let body = r#"-d '{"userId":"ada","items":[{"productId":7,"quantity":2,"unitPrice":"4.20"}]}'"#;
        assert!(text.contains(body) && text.contains("Idempotency-Key: 0"), "{text}");
    }

    #[test]
    fn nothing_is_promised_of_a_product_that_is_not_there() {
        let text = rendered(&["inventory", "orders"], None);
        assert!(!text.contains("-d '") && text.contains("health/ready"), "{text}");
    }
}
