//! The topics between gateway and centre, built and parsed in this one place.

use std::fmt;

/// What a message of `vedette/v1/{gateway}/..` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Gateway to centre: an alert in its envelope.
    Alert,
    /// Gateway to centre: sequence numbers that will never come.
    Void,
    /// Centre to gateway: what is committed in the ledger.
    Ack,
    /// Gateway to centre: the newest picture.
    Tracks,
    /// Gateway to centre, retained: whether it is there, and what waits.
    Status,
    /// Centre to gateway: an order.
    Command,
    /// Gateway to centre: the answer to an order.
    Answer,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Alert, Self::Void, Self::Ack, Self::Tracks, Self::Status, Self::Command, Self::Answer];
    /// Those a centre subscribes to.
    pub const TO_CENTRE: [Self; 5] = [Self::Alert, Self::Void, Self::Tracks, Self::Status, Self::Answer];
    /// Those a gateway subscribes to.
    pub const TO_GATEWAY: [Self; 2] = [Self::Ack, Self::Command];

    /// The last level of the topic.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Void => "void",
            Self::Ack => "ack",
            Self::Tracks => "tracks",
            Self::Status => "status",
            Self::Command => "command",
            Self::Answer => "answer",
        }
    }

    /// The topic of this channel of one gateway.
    #[must_use]
    pub fn topic(self, gateway: &GatewayId) -> String {
        format!("vedette/v1/{gateway}/{}", self.name())
    }

    /// The topic filter for this channel of every gateway.
    #[must_use]
    pub fn filter(self) -> String {
        format!("vedette/v1/+/{}", self.name())
    }
}

/// Name of a gateway: its MQTT client id and one level of its topics.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct GatewayId(String);

impl GatewayId {
    /// Greatest length in bytes; MQTT brokers must accept client ids of 23, all known ones accept more.
    pub const MAX_BYTES: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has a character that is not a letter, a digit, `-`, `_` or `.`.
    pub fn new(name: impl Into<String>) -> Result<Self, TopicError> {
        let name = name.into();
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > Self::MAX_BYTES || !name.chars().all(fine) {
            return Err(TopicError::GatewayName { name });
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for GatewayId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A topic that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The name cannot be a gateway's.
    #[error("gateway name {name:?}: expected 1 to 64 letters, digits, '-', '_' or '.'")]
    GatewayName {
        /// What it was.
        name: String,
    },
    /// Not of the form `vedette/v1/{gateway}/{channel}`.
    #[error("topic {topic:?}: expected vedette/v1/<gateway>/<alert|void|ack|tracks|status|command|answer>")]
    Unknown {
        /// What it was.
        topic: String,
    },
}

/// Reads `vedette/v1/{gateway}/{channel}`.
///
/// # Errors
/// When it is another topic.
pub fn parse(topic: &str) -> Result<(GatewayId, Channel), TopicError> {
    let unknown = || TopicError::Unknown { topic: topic.to_owned() };
    let rest = topic.strip_prefix("vedette/v1/").ok_or_else(unknown)?;
    let (gateway, name) = rest.split_once('/').ok_or_else(unknown)?;
    let channel = Channel::ALL.into_iter().find(|channel| channel.name() == name).ok_or_else(unknown)?;
    Ok((GatewayId::new(gateway)?, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_reads_back() {
        let gateway = GatewayId::new("bcp-north.3_a").unwrap();
        for channel in Channel::ALL {
            assert_eq!(parse(&channel.topic(&gateway)), Ok((gateway.clone(), channel)));
        }
    }

    #[test]
    fn other_topics_and_names_are_refused() {
        for topic in
            ["", "vedette/v1/a", "vedette/v1/a/alert/x", "vedette/v2/a/alert", "vedette/v1//alert", "vedette/v1/+/ack"]
        {
            assert!(parse(topic).is_err(), "{topic}");
        }
        for name in ["", "a/b", "a#", "+", "ä", &"x".repeat(65)] {
            assert!(GatewayId::new(name).is_err(), "{name}");
        }
    }
}
