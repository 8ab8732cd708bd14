//! Reading a caller's file, packed or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

/// How a gzip stream begins.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file's bytes, unpacked if it is gzip (told by its content, not its name). `bar` follows the bytes of the file itself.
pub fn open(path: &Path, bar: &ProgressBar) -> anyhow::Result<Box<dyn Read + Send>> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let about = file.metadata().with_context(|| format!("{} cannot be read", path.display()))?;
    if about.is_dir() {
        anyhow::bail!("{} is a folder: name a file", path.display());
    }
    bar.set_length(about.len());
    unpack(bar.wrap_read(file)).with_context(|| format!("{} cannot be read", path.display()))
}

/// Unpacks gzip; passes anything else through.
pub fn unpack(bytes: impl Read + Send + 'static) -> std::io::Result<Box<dyn Read + Send>> {
    let mut buffered = BufReader::with_capacity(1 << 16, bytes);
    if buffered.fill_buf()?.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(MultiGzDecoder::new(buffered)))
    } else {
        Ok(Box::new(buffered))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        unpack(std::io::Cursor::new(bytes)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn gzip_is_told_by_its_content() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"a,b\n1,2\n").unwrap();
        assert_eq!(read(packed.finish().unwrap()), "a,b\n1,2\n");
        assert_eq!(read(b"a,b\n".to_vec()), "a,b\n");
        assert_eq!(read(Vec::new()), "");
    }

    #[test]
    fn a_missing_file_and_a_folder_are_told_by_name() {
        let bar = ProgressBar::hidden();
        let missing = open(Path::new("no/such/file.csv"), &bar).err().unwrap();
        assert!(missing.to_string().contains("no/such/file.csv"));
        assert!(open(Path::new("."), &bar).err().unwrap().to_string().contains("is a folder"));
    }
}
