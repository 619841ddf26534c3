//! The beginnings of text files: what marks one that was written otherwise than expected.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";

/// A text file, from its first character on.
pub(crate) fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let named = || path.display().to_string();
    let mut reader = BufReader::new(File::open(path).with_context(named)?);
    begin(&mut reader).with_context(named)?;
    Ok(reader)
}

/// Passes over a byte order mark; refuses what is compressed.
pub(crate) fn begin(reader: &mut impl BufRead) -> anyhow::Result<()> {
    let beginning = reader.fill_buf()?;
    if beginning.starts_with(GZIP) {
        bail!("expected text, got a gzip file: unpack it first, as gunzip does");
    }
    if beginning.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_passed_over_and_gzip_is_refused() {
        for (bytes, rest) in [(&b"\xef\xbb\xbft,id"[..], &b"t,id"[..]), (b"t,id", b"t,id"), (b"", b"")] {
            let mut reader = bytes;
            begin(&mut reader).expect("text");
            assert_eq!(reader, rest);
        }
        let error = begin(&mut &b"\x1f\x8b\x08\x00"[..]).expect_err("compressed");
        assert!(error.to_string().contains("gzip"), "{error}");
    }
}
