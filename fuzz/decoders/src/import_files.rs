//! Files of rows to import, as `holdfast import` reads them: packed or not, CSV or NDJSON.

use std::io::{Cursor, Read};

use holdfast::cli::Format;
use holdfast::{input, rows};
use inventory_service::wire::stock::ImportRowWire;

use crate::inventory_bodies::{check_set, written_row};
use crate::promises;

/// What is unpacked of a file, at most: a small file may hold very much.
const UNPACKED_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// Reads `bytes` as both.
pub fn run(bytes: &[u8]) {
    for format in [Format::Csv, Format::Ndjson] {
        let Ok(unpacked) = input::unpack(Cursor::new(bytes.to_vec())) else { continue };
        check(Box::new(unpacked.take(UNPACKED_BYTES_MAX)), format);
    }
}

fn check(source: Box<dyn Read + Send>, format: Format) {
    let rows = match rows::read(source, format) {
        Ok(rows) => rows,
        Err(error) => return promises::advice(&error.to_string()),
    };
    for (expected, row) in (1..).zip(rows) {
        let (number, row) = match row {
            Ok(row) => row,
            Err(error) => return promises::advice(&error.to_string()),
        };
        assert_eq!(number, expected, "rows are counted");
        match row {
            Ok(set) => {
                check_set(&set);
                // Over REST the same row means the same.
                let written = written_row(&set).to_string();
                assert_eq!(promises::body::<ImportRowWire>(written.as_bytes()), Some(set));
            }
            Err(rejected) => {
                assert_eq!(rejected.row, number);
                promises::advice(&rejected.detail);
            }
        }
    }
}
