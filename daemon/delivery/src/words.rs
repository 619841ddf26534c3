//! Text from somebody else, made fit for a terminal and for one line of a log.

use vedette_engine::{Act, Command};

/// Greatest length of a name in a log, characters.
pub const MAX_NAME: usize = 100;

/// The text on one line, and nothing in it that a terminal would obey or that hides or turns round what follows:
/// control characters, line and paragraph separators, and directional marks are replaced by U+FFFD.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|character| if obeyed(character) { '\u{fffd}' } else { character }).collect()
}

/// A command with nothing in its words that a terminal would obey: they go into logs and alerts.
#[must_use]
pub fn printable_command(command: Command) -> Command {
    let act = match command.act {
        Act::Assign { alert, to } => Act::Assign { alert: printable(&alert), to: printable(&to) },
        Act::Comment { alert, text } => Act::Comment { alert: printable(&alert), text: printable(&text) },
        Act::Release { alert, member } => {
            Act::Release { alert: printable(&alert), member: member.map(|member| printable(&member)) }
        }
        other => other,
    };
    let by = printable(&command.by).chars().take(MAX_NAME).collect();
    Command { by, act, ..command }
}

fn obeyed(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_gives_the_terminal_no_orders() {
        assert_eq!(printable("a\nb \u{1b}[31mred \u{9b}1m"), "a\u{fffd}b \u{fffd}[31mred \u{fffd}1m");
        assert_eq!(printable("x\u{202e}y\u{2028}z"), "x\u{fffd}y\u{fffd}z");
        assert_eq!(printable("Grüße ß 東京"), "Grüße ß 東京");
    }
}
