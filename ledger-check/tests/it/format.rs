//! The format of histories: what is written is read, and what is no record is named.

use std::sync::Arc;

use ledger_check::history::{Answer, Answered, HistoryLog, LINE_BYTES_MAX, Record, read};
use uuid::Uuid;

use crate::toy::{commit_part, reserve, sold_out};

fn record(sequence: u64) -> Record {
    Record {
        client: "buyer".to_owned(),
        sequence,
        asked: reserve(Uuid::from_u128(u128::from(sequence)), &[(1, 2), (-3, 1)]),
        invoked_at: 5,
        answered: Some(Answered { at: 9, answer: sold_out(1, 2, 0) }),
    }
}

fn why_not(text: &str) -> String {
    let mut all = read(text.as_bytes());
    let error = all.find_map(Result::err).map(|bad| bad.to_string());
    assert!(all.next().is_none(), "nothing is read after a bad line");
    error.unwrap_or_else(|| panic!("{text} was read"))
}

#[test]
fn what_is_written_is_read() {
    let mut records = vec![record(1), record(2)];
    records[1].answered = None;
    records[1].asked = commit_part(Uuid::from_u128(4), &[(1, 1)]);
    let answers = [Answer::Overloaded, Answer::Refused { code: "x".to_owned() }, Answer::Released];
    for (sequence, answer) in (3..).zip(answers) {
        records.push(Record { answered: Some(Answered { at: 7, answer }), ..record(sequence) });
    }
    let log = HistoryLog::new(Vec::new());
    for record in &records {
        log.append(record).unwrap();
    }
    let bytes = log.into_inner().unwrap();
    assert_eq!(read(&bytes[..]).collect::<Result<Vec<_>, _>>().unwrap(), records);
}

#[test]
fn a_line_looks_as_it_is_documented() {
    let log = HistoryLog::new(Vec::new());
    log.append(&record(7)).unwrap();
    let line = String::from_utf8(log.into_inner().unwrap()).unwrap();
    assert_eq!(
        line,
        "{\"v\":1,\"client\":\"buyer\",\"sequence\":7,\"asked\":{\"reserve\":{\"order\":\
         \"00000000-0000-0000-0000-000000000007\",\"lines\":[{\"product\":1,\"quantity\":2},{\"product\":-3,\
         \"quantity\":1}],\"ttlMicros\":1000000}},\"invokedAt\":5,\"answered\":{\"at\":9,\"answer\":\
         {\"insufficient\":{\"short\":[{\"product\":1,\"requested\":2,\"available\":0}]}}}}\n"
    );
}

#[test]
fn many_threads_write_whole_lines() {
    let log = Arc::new(HistoryLog::new(Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = log.clone();
            scope.spawn(move || {
                for at in 0..50 {
                    log.append(&record(thread * 50 + at)).unwrap();
                }
            });
        }
    });
    let bytes = Arc::into_inner(log).unwrap().into_inner().unwrap();
    assert_eq!(read(&bytes[..]).filter(Result::is_ok).count(), 200);
}

#[test]
fn a_line_that_is_no_record_is_named_by_number_and_reason() {
    let good = {
        let log = HistoryLog::new(Vec::new());
        log.append(&record(1)).unwrap();
        String::from_utf8(log.into_inner().unwrap()).unwrap()
    };
    assert!(why_not(&format!("{good}\n{}", &good[..40])).starts_with("line 3: is not a JSON object"));
    assert!(why_not(&good.replace("\"v\":1", "\"v\":2")).contains("version 2"));
    assert!(why_not(&good.replace("\"v\":1,", "")).contains("has no version"));
    assert!(why_not(&good.replace("invokedAt", "invoked_at")).contains("invoked_at"));
    assert!(why_not(&good.replace("\"at\":9", "\"at\":4")).contains("before it was asked"));
    assert!(why_not(&good.replace("\"quantity\":2", "\"quantity\":-2")).contains("-2"));
    let endless = " ".repeat(usize::try_from(LINE_BYTES_MAX).unwrap()) + "{}";
    assert!(why_not(&format!("x{endless}")).contains("longer than"));
}
