//! The smallest service: answers 200 to everything and counts its starts in its data folder. What the tests of
//! `service` start.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;

fn main() -> anyhow::Result<()> {
    let data = variable("DATA_DIR")?;
    fs::create_dir_all(&data)?;
    let mut starts = OpenOptions::new().create(true).append(true).open(format!("{data}/starts"))?;
    writeln!(starts, "{}", std::process::id())?;
    if std::env::args().any(|argument| argument == "--refuse") {
        anyhow::bail!("refused as asked");
    }
    if std::env::args().any(|argument| argument == "--once") {
        return Ok(());
    }
    let listener = TcpListener::bind(variable("INVENTORY_ADDR")?)?;
    println!("listening");
    for stream in listener.incoming() {
        let mut stream = stream?;
        // One read holds the whole request of a health check.
        let _ = stream.read(&mut [0; 1024])?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
    Ok(())
}

fn variable(name: &str) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment is this program's only input")]
    let value = std::env::var(name);
    Ok(value?)
}
