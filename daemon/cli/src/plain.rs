//! Plain text for a terminal of 80 columns, or a mail.

use std::io::Write;

/// Columns of a terminal as everybody has it.
const WIDTH: usize = 80;
/// A last column narrower than this is not worth breaking into.
const NARROWEST: usize = 16;
const SPACE: &str = "  ";

use vedette_gateway::engine::MAX_WORDS;
use vedette_gateway::words::MAX_NAME;
pub(crate) use vedette_gateway::words::printable;

/// Something that can be read, on one line and no longer than logs carry; for arguments.
pub(crate) fn words(text: &str) -> Result<String, String> {
    line(text, MAX_WORDS)
}

/// Who somebody is: as [`words`], and no longer than logs carry of names.
pub(crate) fn name(text: &str) -> Result<String, String> {
    line(text, MAX_NAME)
}

fn line(text: &str, most: usize) -> Result<String, String> {
    if text.trim().is_empty() || printable(text) != text {
        return Err("expected words on one line".to_owned());
    }
    let length = text.chars().count();
    if length > most {
        return Err(format!("expected at most {most} characters, got {length}"));
    }
    Ok(text.to_owned())
}

/// The text broken at spaces into lines of the terminal's width: the first begins with `first`, the others with `next`.
/// A word that is longer than a line stays whole.
pub(crate) fn wrapped(first: &str, next: &str, text: &str) -> String {
    let (mut out, mut line) = (String::new(), first.to_owned());
    let mut is_empty = true;
    // The words are perhaps somebody else's.
    for word in text.split_whitespace().map(printable) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = next.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

/// Columns as wide as they need; those with nothing in them are left out, and the last is broken where it would leave the
/// terminal.
pub(crate) fn columns(heads: &[&str], rows: &[Vec<String>], out: &mut impl Write) -> std::io::Result<()> {
    let width_of = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0)
    };
    let shown: Vec<(usize, usize)> = (0..heads.len())
        .map(|index| (index, width_of(index)))
        .filter(|(_, width)| *width > 0 || rows.is_empty())
        .map(|(index, width)| (index, width.max(heads[index].chars().count())))
        .collect();
    let Some(((last, _), before)) = shown.split_last() else { return Ok(()) };
    let mut line = |cell: &dyn Fn(usize) -> String| {
        let start: String = before.iter().fold(SPACE.to_owned(), |mut start, (index, width)| {
            start.push_str(&format!("{:<width$}{SPACE}", printable(&cell(*index))));
            start
        });
        let indent = start.chars().count();
        if indent + NARROWEST > WIDTH {
            return writeln!(out, "{}", format!("{start}{}", printable(&cell(*last))).trim_end());
        }
        write!(out, "{}", wrapped(&start, &" ".repeat(indent), &cell(*last)))
    };
    line(&|index| heads[index].to_owned())?;
    rows.iter().try_for_each(|row| line(&|index| row.get(index).cloned().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_something_on_one_line() {
        assert_eq!(words("seen on the ford").as_deref(), Ok("seen on the ford"));
        for nothing in ["", "  ", "two\nlines", "\u{1b}[31mred", "\u{202e}der"] {
            assert!(words(nothing).is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn what_would_be_cut_is_refused() {
        // In characters, not in bytes.
        assert_eq!(words(&"ä".repeat(200)), Ok("ä".repeat(200)));
        assert_eq!(words(&"ä".repeat(201)), Err("expected at most 200 characters, got 201".to_owned()));
        assert!(name(&"a".repeat(100)).is_ok());
        assert_eq!(name(&"a".repeat(5_000)), Err("expected at most 100 characters, got 5000".to_owned()));
    }

    proptest! {
        #[test]
        fn lines_are_narrow_and_words_stay_in_order(words in prop::collection::vec("[a-zä]{1,20}", 0..40)) {
            let text = wrapped("  * ", "    ", &words.join(" "));
            prop_assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{}", text);
            let again: Vec<&str> = text.split_whitespace().filter(|word| *word != "*").collect();
            prop_assert_eq!(again, words);
        }
    }

    #[test]
    fn columns_leave_out_what_is_empty_and_break_what_is_long() {
        let row = |name: &str, said: &str| vec![name.to_owned(), String::new(), said.to_owned()];
        let rows = [row("radar", "north"), row("pir-17", &"somebody was there, or was not ".repeat(4))];
        let mut out = Vec::new();
        columns(&["sensor", "battery", "said"], &rows, &mut out).expect("written");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.starts_with("  sensor  said\n  radar   north\n  pir-17  somebody was there"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH) && text.lines().count() == 4, "{text}");
        assert!(text.lines().nth(3).is_some_and(|line| line.starts_with("          ")), "{text}");
    }
}
