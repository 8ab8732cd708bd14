use axum::body::Body;
use futures::stream;
use inventory_core::command::SetStock;
use service_kit::BodyLimits;

use super::*;

/// All rows of a body that arrives in pieces of `size` bytes.
async fn rows_of(text: &[u8], size: usize) -> Result<Vec<Row>, Problem> {
    let pieces: Vec<_> =
        text.chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    let mut rows = CsvRows::new(Chunks::new(Body::from_stream(stream::iter(pieces)), &BodyLimits::default()));
    let mut all = Vec::new();
    while let Some(row) = rows.next().await? {
        all.push(row);
    }
    Ok(all)
}

fn taken(row: &Row) -> &SetStock {
    match row {
        Row::Set(set) => set,
        Row::Rejected { detail, .. } => panic!("rejected: {detail}"),
    }
}

fn refused(row: &Row) -> (Option<i64>, &str) {
    match row {
        Row::Set(set) => panic!("taken: {set:?}"),
        Row::Rejected { product_id, detail, .. } => (*product_id, detail),
    }
}

#[tokio::test]
async fn a_mark_quotes_either_line_end_and_any_column_order_are_read_however_the_bytes_arrive() {
    let text =
        "\u{FEFF}\"name\",onHand, productId\r\n\"Lamp, \"\"big\"\"\nred\",5,1\r\n\n,6,2\nLamp,7,3".as_bytes();
    for size in 1..=text.len() {
        let rows = rows_of(text, size).await.unwrap();
        let read: Vec<_> = rows
            .iter()
            .map(taken)
            .map(|set| (set.product.get(), set.on_hand.get(), set.name.as_ref().map(|n| n.as_str())))
            .collect();
        assert_eq!(
            read,
            [(1, 5, Some("Lamp, \"big\"\nred")), (2, 6, None), (3, 7, Some("Lamp"))],
            "pieces of {size}"
        );
    }
}

#[tokio::test]
async fn settings_are_read_and_empty_cells_leave_them_as_they_are() {
    let rows =
        rows_of(b"productId,onHand,lowStockThreshold,perCustomerLimit\n1,5,2,3\n1,5,,\n", 9).await.unwrap();
    let settings = |row: &Row| {
        (taken(row).low_stock_threshold.map(|u| u.get()), taken(row).per_customer_limit.map(|q| q.get()))
    };
    assert_eq!(settings(&rows[0]), (Some(2), Some(3)));
    assert_eq!(settings(&rows[1]), (None, None));
}

#[tokio::test]
async fn a_wrong_header_is_refused_and_names_every_wrong_column() {
    let problem = rows_of(b"productId,colour,productId\n1,red,1\n", 64).await.unwrap_err();
    let body = serde_json::to_value(problem.into_body(None)).unwrap();
    let fields: Vec<_> = body["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["header.colour", "header.productId", "header.onHand"]);
    assert_eq!(rows_of(b"", 1).await.unwrap_err().code(), "invalid_request");
}

#[tokio::test]
async fn a_wrong_row_is_told_with_its_product_and_the_next_one_is_taken() {
    let text = b"productId,onHand\n7,many\n7,-1\n7\nx,1\n,1\n7,1,2\n7,\xFF\n8,1\n";
    let rows = rows_of(text, 5).await.unwrap();
    let wrong: Vec<_> = rows[..7].iter().map(refused).collect();
    for ((product, detail), (product_expected, word)) in wrong.into_iter().zip([
        (Some(7), "many"),
        (Some(7), "onHand"),
        (Some(7), "1 fields"),
        (None, "productId"),
        (None, "productId is required"),
        (Some(7), "3 fields"),
        (None, "UTF-8"),
    ]) {
        assert_eq!(product, product_expected, "{detail}");
        assert!(detail.contains(word), "{detail}");
    }
    assert_eq!(taken(&rows[7]).product.get(), 8);
}

#[tokio::test]
async fn i15_a_row_without_end_is_rejected_in_constant_memory_and_the_next_one_is_taken() {
    let mut text = b"productId,onHand,name\n1,1,".to_vec();
    text.extend(vec![b'x'; 3 * IMPORT_ROW_BYTES_MAX]);
    text.extend(b"\n2,");
    text.extend(vec![b','; 2 * IMPORT_COLUMNS_MAX]);
    text.extend(b"\n3,1,Lamp\n");
    let rows = rows_of(&text, 1_000).await.unwrap();
    assert!(refused(&rows[0]).1.contains("longer"));
    assert!(refused(&rows[1]).1.contains("longer"));
    assert_eq!(taken(&rows[2]).product.get(), 3);
    assert_eq!(rows.len(), 3);
}
