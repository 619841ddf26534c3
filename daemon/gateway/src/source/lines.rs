//! Bytes to lines, with a bound on their length.

/// Longest line that is kept.
const MAX_BYTES: usize = 1 << 20;

/// The beginning of a line whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// The line being read is too long: it is dropped up to its end.
    dropping: bool,
    cut: u64,
}

impl Lines {
    /// Takes in the next bytes and tells of each line that is complete and not empty, without its end.
    pub(super) fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = (&rest[..end], &rest[end + 1..]);
            if self.held.is_empty() && !self.dropping {
                tell_trimmed(line, &mut tell);
            } else if !self.dropping {
                self.held.extend_from_slice(line);
                tell_trimmed(&self.held, &mut tell);
            }
            self.held.clear();
            self.dropping = false;
            rest = behind;
        }
        if self.dropping {
            return;
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > MAX_BYTES {
            self.held.clear();
            self.dropping = true;
            self.cut += 1;
        }
    }

    /// How many lines were too long since the last call.
    pub(super) fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut)
    }
}

fn tell_trimmed(line: &[u8], tell: &mut impl FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        tell(line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_the_same_however_they_are_split(lines in proptest::collection::vec("[a-z]{1,20}", 0..8), size in 1_usize..30) {
            let text: String = lines.iter().map(|line| format!("{line}\r\n\n")).collect();
            let (mut reader, mut seen) = (Lines::default(), Vec::new());
            for part in text.as_bytes().chunks(size) {
                reader.feed(part, |line| seen.push(String::from_utf8_lossy(line).into_owned()));
            }
            prop_assert_eq!(seen, lines);
        }
    }

    #[test]
    fn a_line_without_end_is_dropped_and_the_next_one_read() {
        let (mut reader, mut seen) = (Lines::default(), 0);
        for _ in 0..3 {
            reader.feed(&vec![b'x'; 600_000], |_| seen += 1);
        }
        reader.feed(b"x\nnext\n", |line| {
            assert_eq!(line, b"next");
            seen += 1;
        });
        assert_eq!((seen, reader.take_cut()), (1, 1));
    }
}
