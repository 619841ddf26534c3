//! Node keys and the cipher made of them.

use core::fmt;

use aes::Aes128Enc;
use ccm::aead::generic_array::GenericArray;
use ccm::aead::{AeadInPlace, KeyInit};
use ccm::consts::{U8, U13};
use thiserror::Error;

use crate::frame::{HEADER_LEN, NONCE_LEN, TAG_LEN};

/// An AES-128 key; its bytes are never shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 16]);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A key is written as 32 hexadecimal digits.
    #[error("expected 32 hexadecimal digits, got {got} characters")]
    Length {
        /// Bytes in the text.
        got: usize,
    },
    /// Something other than a hexadecimal digit.
    #[error("expected a hexadecimal digit at character {at}")]
    Digit {
        /// Index of the offending character, from 0.
        at: usize,
    },
}

impl Key {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 hexadecimal digits, upper or lower case.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong without repeating the text, which may be most of a secret.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| KeyError::Length { got: text.len() })?;
        let mut bytes = [0; 16];
        for (at, &digit) in digits.iter().enumerate() {
            let value = char::from(digit).to_digit(16).ok_or(KeyError::Digit { at })?;
            bytes[at / 2] = (bytes[at / 2] << 4) | value as u8;
        }
        Ok(Self(bytes))
    }

    /// The secret itself, for provisioning and for storing it away.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// AES-128-CCM with a 13-byte nonce and an 8-byte tag (RFC 3610, M = 8, L = 2), its round keys expanded once.
#[derive(Clone)]
pub(crate) struct Cipher(ccm::Ccm<Aes128Enc, U8, U13>);

impl Cipher {
    pub(crate) fn new(key: &Key) -> Self {
        Self(ccm::Ccm::new(GenericArray::from_slice(&key.0)))
    }

    /// Encrypts in place and gives the tag; `None` only when the text is too long for CCM's two-byte length.
    pub(crate) fn seal(&self, header: &[u8; HEADER_LEN], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        let nonce = nonce(header);
        self.0.encrypt_in_place_detached(GenericArray::from_slice(&nonce), header, text).ok().map(Into::into)
    }

    /// Decrypts in place; false, with the text zeroed, when header, text or tag are not what was sealed.
    pub(crate) fn open(&self, header: &[u8; HEADER_LEN], text: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        let nonce = nonce(header);
        self.0
            .decrypt_in_place_detached(GenericArray::from_slice(&nonce), header, text, GenericArray::from_slice(&tag))
            .is_ok()
    }
}

/// The header itself, zero-padded: direction, node and counter in it make it unique for as long as counters do not repeat.
fn nonce(header: &[u8; HEADER_LEN]) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..HEADER_LEN].copy_from_slice(header);
    nonce
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}
