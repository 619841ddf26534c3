//! The admiralty code of sources and contents.

use serde::{Deserialize, Serialize};

/// How far a source and what it says are to be trusted: the admiralty code, as EUROSUR's reports carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grade {
    /// Of the source: A (completely reliable) to E (unreliable), F (cannot be judged).
    reliability: char,
    /// Of the content: 1 (confirmed by others) to 5 (improbable), 6 (cannot be judged).
    credibility: u8,
}

/// A grade that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a letter from A to F and a digit from 1 to 6, such as B2, got {got:?}")]
pub struct GradeError {
    got: String,
}

impl std::str::FromStr for Grade {
    type Err = GradeError;

    fn from_str(text: &str) -> Result<Self, GradeError> {
        let mut letters = text.chars().map(|letter| letter.to_ascii_uppercase());
        match (letters.next(), letters.next().and_then(|digit| digit.to_digit(10)), letters.next()) {
            (Some(reliability @ 'A'..='F'), Some(credibility @ 1..=6), None) => {
                Ok(Self { reliability, credibility: u8::try_from(credibility).unwrap_or(6) })
            }
            _ => Err(GradeError { got: text.chars().take(16).collect() }),
        }
    }
}

impl TryFrom<String> for Grade {
    type Error = GradeError;

    fn try_from(text: String) -> Result<Self, GradeError> {
        text.parse()
    }
}

impl From<Grade> for String {
    fn from(grade: Grade) -> Self {
        grade.to_string()
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.reliability, self.credibility)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grade_is_a_letter_small_or_great_and_a_digit() {
        let told = |text: &str| text.parse::<Grade>().map_err(|error| error.to_string()).map(|grade| grade.to_string());
        assert_eq!(["B2", "b2", "f6"].map(told), ["B2", "B2", "F6"].map(|grade| Ok(grade.to_owned())));
        let wrong = "expected a letter from A to F and a digit from 1 to 6, such as B2, got \"g2\"";
        assert_eq!(told("g2"), Err(wrong.to_owned()));
    }
}
