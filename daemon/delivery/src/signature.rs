//! Ed25519 signatures over the exact bytes of a message, carried in the user properties `kid` and `sig`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// User property with the name of the key.
pub const KEY_ID: &str = "kid";
/// User property with the signature, base64 without padding.
pub const SIGNATURE: &str = "sig";

/// Signs with one named key.
#[derive(Clone)]
pub struct Signer {
    kid: String,
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer from the 32 secret bytes of its key.
    #[must_use]
    pub fn new(kid: impl Into<String>, secret: &[u8; 32]) -> Self {
        Self { kid: kid.into(), key: SigningKey::from_bytes(secret) }
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, base64 without padding, for a [`Keyring`].
    #[must_use]
    pub fn public(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    /// The user properties for a message sent to `topic`. The topic is signed with the bytes: a message cannot be moved
    /// to another gateway's topic.
    #[must_use]
    pub fn properties(&self, topic: &str, bytes: &[u8]) -> Vec<(String, String)> {
        let signature = self.key.sign(&signed(topic, bytes));
        vec![(KEY_ID.to_owned(), self.kid.clone()), (SIGNATURE.to_owned(), BASE64.encode(signature.to_bytes()))]
    }
}

fn signed(topic: &str, bytes: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(topic.len() + 1 + bytes.len());
    signed.extend_from_slice(topic.as_bytes());
    signed.push(0);
    signed.extend_from_slice(bytes);
    signed
}

/// What a signature proved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Signed by a known key.
    Signed {
        /// The key.
        kid: String,
    },
    /// Not signed, and nobody knows a key that it could be signed with.
    Unsigned,
    /// Not signed, although its sender has a key.
    SignatureMissing,
    /// Signed by a key that is not known, or not for this gateway.
    UnknownKey {
        /// What it says it is.
        kid: String,
    },
    /// Signed, and the signature is wrong.
    Forged {
        /// The key it says it is of.
        kid: String,
    },
}

impl Verdict {
    /// Whether the message is proven.
    #[must_use]
    pub const fn proven(&self) -> bool {
        matches!(self, Self::Signed { .. })
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let printable = crate::words::printable;
        match self {
            Self::Signed { kid } => write!(f, "signed with the key {}", printable(kid)),
            Self::Unsigned => f.write_str("not signed, and no key of its sender is known"),
            Self::SignatureMissing => f.write_str("not signed, although a key of its sender is known"),
            Self::UnknownKey { kid } => {
                write!(f, "signed with {}, which is no known key of its sender", printable(kid))
            }
            Self::Forged { kid } => write!(f, "its signature is not one of the key {}", printable(kid)),
        }
    }
}

/// Why a public key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public key {kid:?}: {reason}")]
pub struct KeyError {
    kid: String,
    reason: String,
}

/// The public keys of those who may sign, by key name.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<String, VerifyingKey>,
}

impl Keyring {
    /// A ring without keys.
    #[must_use]
    pub const fn new() -> Self {
        Self { keys: BTreeMap::new() }
    }

    /// Adds a public key, base64 without padding.
    ///
    /// # Errors
    /// When it is no Ed25519 public key.
    pub fn add(&mut self, kid: impl Into<String>, public: &str) -> Result<(), KeyError> {
        let kid = kid.into();
        let wrong = |reason: String| KeyError { kid: kid.clone(), reason };
        let bytes = BASE64.decode(public.trim().trim_end_matches('=')).map_err(|error| wrong(error.to_string()))?;
        let got = bytes.len();
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong(format!("{got} bytes, expected 32")))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))?;
        self.keys.insert(kid, key);
        Ok(())
    }

    /// Whether it has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Checks a message by its user properties.
    #[must_use]
    pub fn check(&self, topic: &str, bytes: &[u8], properties: &[(String, String)]) -> Verdict {
        let property = |name: &str| properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (Some(kid), Some(signature)) = (property(KEY_ID), property(SIGNATURE)) else { return Verdict::Unsigned };
        let Some(key) = self.keys.get(kid) else { return Verdict::UnknownKey { kid: kid.to_owned() } };
        let right = BASE64
            .decode(signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .is_some_and(|signature| key.verify_strict(&signed(topic, bytes), &signature).is_ok());
        if right { Verdict::Signed { kid: kid.to_owned() } } else { Verdict::Forged { kid: kid.to_owned() } }
    }

    /// The same for a message whose sender has one of these keys: without a signature it lacks one.
    #[must_use]
    pub fn check_owner(&self, topic: &str, bytes: &[u8], properties: &[(String, String)]) -> Verdict {
        match self.check(topic, bytes, properties) {
            Verdict::Unsigned => Verdict::SignatureMissing,
            verdict => verdict,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_the_signed_bytes_on_the_signed_topic_pass(bytes in prop::collection::vec(any::<u8>(), 1..200), bit in any::<prop::sample::Index>()) {
            let signer = Signer::new("gw-1-2026", &[7; 32]);
            let mut ring = Keyring::new();
            ring.add("gw-1-2026", &signer.public()).unwrap();
            let properties = signer.properties("vedette/v1/gw-1/alert", &bytes);
            prop_assert!(ring.check("vedette/v1/gw-1/alert", &bytes, &properties).proven());
            prop_assert!(!ring.check("vedette/v1/gw-2/alert", &bytes, &properties).proven());
            let mut other = bytes.clone();
            let bit = bit.index(other.len() * 8);
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(ring.check("vedette/v1/gw-1/alert", &other, &properties), Verdict::Forged { kid: "gw-1-2026".to_owned() });
            prop_assert_eq!(ring.check("vedette/v1/gw-1/alert", &bytes, &[]), Verdict::Unsigned);
            let stranger = Signer::new("gw-9", &[9; 32]).properties("vedette/v1/gw-1/alert", &bytes);
            prop_assert_eq!(ring.check("vedette/v1/gw-1/alert", &bytes, &stranger), Verdict::UnknownKey { kid: "gw-9".to_owned() });
        }
    }

    #[test]
    fn a_wrong_key_says_what_is_wrong() {
        let error = Keyring::new().add("k", "AAAA").unwrap_err();
        assert_eq!(error.to_string(), "public key \"k\": 3 bytes, expected 32");
    }
}
