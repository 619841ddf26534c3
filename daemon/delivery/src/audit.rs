//! The audit log: a chain of hashes, so that a line cannot be changed, taken out or put in unnoticed.
//!
//! Line `n` holds `hash = SHA-256(hash of line n-1 || n as 8 bytes, big endian || record)`; before line 1 stand 32 zero
//! bytes. Whoever holds a copy of the last hash (each centre gets it with its alerts) can prove the whole log.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vedette_engine::AuditRecord;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts up from 1.
    pub n: u64,
    /// The record, as written: JSON.
    pub record: Vec<u8>,
    /// Hash of this line and all before it.
    pub hash: Hash,
}

/// Where a log stops being what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A line is missing or was put in.
    #[error("audit line {expected} expected, got line {got}")]
    Order {
        /// The number that should follow.
        expected: u64,
        /// The number found.
        got: u64,
    },
    /// A line, or one before it, was changed.
    #[error("audit line {n}: hash {got} does not follow from the line before it, expected {expected}")]
    Changed {
        /// The line.
        n: u64,
        /// What its content asks for, in hexadecimal.
        expected: String,
        /// What it says, in hexadecimal.
        got: String,
    },
    /// The log ends before the line that somebody holds a copy of.
    #[error("audit log ends with line {got}, but line {expected} was written")]
    Cut {
        /// The last line known to have been written.
        expected: u64,
        /// The last line found.
        got: u64,
    },
}

/// Appends a record to a log that ends with `last`.
#[must_use]
pub fn append(last: Option<&AuditEntry>, record: &AuditRecord) -> AuditEntry {
    let n = last.map_or(1, |entry| entry.n.saturating_add(1));
    let record = crate::message::write(record);
    let hash = link(last.map_or([0; 32], |entry| entry.hash), n, &record);
    AuditEntry { n, record, hash }
}

fn link(previous: Hash, n: u64, record: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(n.to_be_bytes());
    hasher.update(record);
    hasher.finalize().into()
}

/// Checks a whole log as it is read, line by line.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    last: Option<(u64, Hash)>,
}

impl Verifier {
    /// Before the first line.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Checks the next line.
    ///
    /// # Errors
    /// When it does not follow from the line before it.
    pub fn check(&mut self, entry: &AuditEntry) -> Result<(), AuditError> {
        let (n, previous) = self.last.unwrap_or((0, [0; 32]));
        let expected = n.saturating_add(1);
        if entry.n != expected {
            return Err(AuditError::Order { expected, got: entry.n });
        }
        let hash = link(previous, entry.n, &entry.record);
        if hash != entry.hash {
            return Err(AuditError::Changed {
                n: entry.n,
                expected: hexadecimal(&hash),
                got: hexadecimal(&entry.hash),
            });
        }
        self.last = Some((entry.n, hash));
        Ok(())
    }

    /// Checks that the log reaches at least to line `n`.
    ///
    /// # Errors
    /// When lines were cut off its end.
    pub fn reaches(&self, n: u64) -> Result<(), AuditError> {
        let got = self.last.map_or(0, |(n, _)| n);
        if got < n { Err(AuditError::Cut { expected: n, got }) } else { Ok(()) }
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vedette_engine::Timestamp;

    use super::*;

    fn log(lines: usize) -> Vec<AuditEntry> {
        let mut log: Vec<AuditEntry> = Vec::new();
        for n in 0..lines {
            let record = AuditRecord {
                at: Timestamp::from_seconds(1_772_000_000 + n as i64),
                by: "operator".to_owned(),
                act: "close".to_owned(),
                detail: format!("alert {n}"),
            };
            log.push(append(log.last(), &record));
        }
        log
    }

    fn verify(log: &[AuditEntry], written: u64) -> Result<(), AuditError> {
        let mut verifier = Verifier::new();
        log.iter().try_for_each(|entry| verifier.check(entry))?;
        verifier.reaches(written)
    }

    proptest! {
        #[test]
        fn any_change_is_found(lines in 2_usize..20, at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), kind in 0..4) {
            let good = log(lines);
            prop_assert_eq!(verify(&good, lines as u64), Ok(()));
            let mut bad = good.clone();
            let at = at.index(lines);
            match kind {
                0 => { let i = byte.index(bad[at].record.len()); bad[at].record[i] ^= 1; }
                1 => { bad.remove(at); }
                2 => { let copy = bad[at].clone(); bad.insert(at, copy); }
                _ => { let other = (at + 1) % lines; bad.swap(at, other); }
            }
            prop_assert!(verify(&bad, lines as u64).is_err());
        }
    }
}
