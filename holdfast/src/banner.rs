//! The first thing a person sees.

use std::net::SocketAddr;

use console::style;
use indicatif::HumanCount;
use inventory_core::ids::ProductId;
use uuid::Uuid;

use service_kit::telemetry::LogFormat;

use crate::config::Settings;
use crate::data_dir::reachable_url;
use crate::ledger::ImportReport;

/// What the banner tells.
pub(crate) struct Facts<'a> {
    /// Where the service listens.
    pub(crate) addr: SocketAddr,
    /// Where the data is, without secrets.
    pub(crate) place: String,
    /// What the first start imported.
    pub(crate) demo: Option<&'a ImportReport>,
    /// A product that exists.
    pub(crate) sample: Option<ProductId>,
}

/// Greets people; machines read the log.
pub(crate) fn show(settings: &Settings, facts: &Facts<'_>) {
    if settings.log_format == LogFormat::Text {
        eprint!("{}", render(facts, Uuid::new_v4()));
    }
}

fn render(facts: &Facts<'_>, order: Uuid) -> String {
    let url = reachable_url(facts.addr);
    let title = style("Holdfast").for_stderr().bold().cyan();
    let mut text =
        format!("\n  {title} {} — stock reservations that never oversell\n\n", env!("CARGO_PKG_VERSION"));
    let mut row = |name: &str, value: &str| {
        text.push_str(&format!("  {} {value}\n", style(format!("{name:<8}")).for_stderr().dim()));
    };
    row("API", &format!("{url}/api/v1/inventory"));
    row("Docs", &format!("{url}/docs"));
    row("Health", &format!("{url}/health/ready"));
    row("Data", &facts.place);
    if let Some(report) = facts.demo {
        let count = HumanCount(report.created);
        row("Demo", &format!("the inventory was empty, {count} demo products were imported"));
    }
    match facts.sample {
        Some(product) => {
            row("Look", &format!("curl {url}/api/v1/inventory/{product}"));
            row(
                "Reserve",
                &format!("curl {url}/api/v1/inventory/reserve -H 'content-type: application/json' \\"),
            );
            let body =
                format!("{{\"orderId\":\"{order}\",\"items\":[{{\"productId\":{product},\"quantity\":2}}]}}");
            row("", &format!("  -d '{body}'"));
        }
        None => row("Try", &format!("curl {url}/health/ready")),
    }
    row("Stop", "Ctrl-C; what is stored stays");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(sample: Option<ProductId>) -> String {
        let addr = "0.0.0.0:8083".parse().unwrap();
        let facts = Facts { addr, place: "./data/inventory.db (SQLite)".to_owned(), demo: None, sample };
        let text = render(&facts, Uuid::nil());
        console::strip_ansi_codes(&text).into_owned()
    }

    #[test]
    fn what_is_shown_can_be_called_as_it_stands() {
        let text = rendered(Some(ProductId::new(7)));
        assert!(text.contains("curl http://127.0.0.1:8083/api/v1/inventory/7\n"), "{text}");
        assert!(text.contains(
            r#"'{"orderId":"00000000-0000-0000-0000-000000000000","items":[{"productId":7,"quantity":2}]}'"#
        ));
    }

    #[test]
    fn nothing_is_promised_of_a_product_that_is_not_there() {
        let text = rendered(None);
        assert!(!text.contains("reserve -H") && text.contains("health/ready"), "{text}");
    }
}
