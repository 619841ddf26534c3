//! The audit log: a chain of hashes, so that a line cannot be changed, taken out or put in unnoticed.
//!
//! Line `n` holds `hash = SHA-256(hash of line n-1 || n as 8 bytes, big endian || record)`; before line 1 stand 32 zero
//! bytes. Whoever rewrites the whole log can make a chain that follows, but not with the hashes that others have a copy of:
//! an [`Anchor`] is such a copy, and each centre keeps the newest one that its gateways' status told.

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

/// A line of a log and its hash, as somebody else keeps it: `412:9f86d0..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Anchor {
    /// The line.
    pub n: u64,
    /// Its hash.
    pub hash: Hash,
}

impl From<&AuditEntry> for Anchor {
    fn from(entry: &AuditEntry) -> Self {
        Self { n: entry.n, hash: entry.hash }
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.n, hexadecimal(&self.hash))
    }
}

impl From<Anchor> for String {
    fn from(anchor: Anchor) -> Self {
        anchor.to_string()
    }
}

impl TryFrom<String> for Anchor {
    type Error = AnchorError;

    fn try_from(text: String) -> Result<Self, AnchorError> {
        text.parse()
    }
}

/// A text that is no anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected LINE:HASH with 64 hexadecimal digits, got {0:?}")]
pub struct AnchorError(String);

impl std::str::FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let parse = || {
            let (n, digits) = text.split_once(':')?;
            let digits = digits.as_bytes();
            let mut hash = [0; 32];
            if digits.len() != 2 * hash.len() || !digits.is_ascii() {
                return None;
            }
            for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            }
            Some(Self { n: n.parse().ok()?, hash })
        };
        parse().ok_or_else(|| AnchorError(text.chars().take(100).collect()))
    }
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
    /// A line is not the one that somebody holds a copy of: it, or one before it, was rewritten.
    #[error("audit line {n}: hash {got}, but the copy kept elsewhere has {expected}")]
    Rewritten {
        /// The line.
        n: u64,
        /// The hash of the copy, in hexadecimal.
        expected: String,
        /// The hash found, in hexadecimal.
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

/// The SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
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
    anchors: Vec<Anchor>,
}

impl Verifier {
    /// Before the first line.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None, anchors: Vec::new() }
    }

    /// Before the first line, with lines that somebody else keeps a copy of.
    #[must_use]
    pub const fn against(anchors: Vec<Anchor>) -> Self {
        Self { last: None, anchors }
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
        if let Some(anchor) = self.anchors.iter().find(|anchor| anchor.n == entry.n && anchor.hash != hash) {
            let (expected, got) = (hexadecimal(&anchor.hash), hexadecimal(&hash));
            return Err(AuditError::Rewritten { n: entry.n, expected, got });
        }
        self.last = Some((entry.n, hash));
        Ok(())
    }

    /// Checks that the log reaches to every line that somebody else keeps a copy of.
    ///
    /// # Errors
    /// When lines were cut off its end.
    pub fn finish(&self) -> Result<(), AuditError> {
        self.reaches(self.anchors.iter().map(|anchor| anchor.n).max().unwrap_or(0))
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

    /// Whoever rewrites everything makes a chain that follows; only a copy kept elsewhere shows it.
    #[test]
    fn a_log_rewritten_with_fresh_hashes_or_cut_does_not_fit_a_copy_of_its_hash() {
        let good = log(9);
        let anchor: Anchor = Anchor::from(&good[6]).to_string().parse().unwrap();
        assert_eq!(anchor, Anchor::from(&good[6]));
        let mut bad: Vec<AuditEntry> = Vec::new();
        for entry in &good {
            let record: AuditRecord = serde_json::from_slice(&entry.record).unwrap();
            bad.push(append(bad.last(), &AuditRecord { by: "nobody".to_owned(), ..record }));
        }
        let against = |log: &[AuditEntry]| {
            let mut verifier = Verifier::against(vec![anchor]);
            log.iter().try_for_each(|entry| verifier.check(entry))?;
            verifier.finish()
        };
        assert_eq!((verify(&bad, 9), against(&good)), (Ok(()), Ok(())));
        assert!(matches!(against(&bad), Err(AuditError::Rewritten { n: 7, .. })));
        assert_eq!(against(&good[..5]), Err(AuditError::Cut { expected: 7, got: 5 }));
        assert_eq!(against(&[]), Err(AuditError::Cut { expected: 7, got: 0 }));
        for wrong in ["", "7", "7:", "x:00", "7:zz"] {
            assert!(wrong.parse::<Anchor>().is_err(), "{wrong}");
        }
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
