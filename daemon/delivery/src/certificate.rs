//! What a certificate says of itself: whose it is and until when. Just that much of X.509 (RFC 5280, section 4.1) is read, of
//! a program's own files; whether a certificate can be trusted is the TLS library's business.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vedette_engine::Timestamp;
use vedette_engine::time::parse_rfc3339;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
/// 2.5.4.3, the common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A certificate's name and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Common name of its subject.
    pub common_name: Option<String>,
    /// Not valid after this time.
    pub expires_at: Timestamp,
}

/// A file that is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a PEM certificate: {0}")]
pub struct CertificateError(&'static str);

/// Whether a PEM file holds certificates of authorities at all.
///
/// # Errors
/// When it does not.
pub fn check_authorities(pem: &[u8]) -> Result<(), CertificateError> {
    let begin = b"-----BEGIN CERTIFICATE-----";
    let found = pem.windows(begin.len()).any(|window| window == begin);
    if found { Ok(()) } else { Err(CertificateError("no BEGIN line")) }
}

impl Certificate {
    /// Reads the first certificate of a PEM file, which is the file's own; those of authorities follow.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(pem: &[u8]) -> Result<Self, CertificateError> {
        let text = std::str::from_utf8(pem).map_err(|_| CertificateError("not a text"))?;
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").ok_or(CertificateError("no BEGIN line"))?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----").ok_or(CertificateError("no END line"))?;
        let body: String = body.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(body).map_err(|_| CertificateError("not base64"))?;
        Self::from_der(&bytes).ok_or(CertificateError("not X.509"))
    }

    fn from_der(bytes: &[u8]) -> Option<Self> {
        let (certificate, _) = element(bytes, SEQUENCE)?;
        let (to_be_signed, _) = element(certificate, SEQUENCE)?;
        let rest = if to_be_signed.first() == Some(&VERSION) { next(to_be_signed)?.2 } else { to_be_signed };
        // Serial number, algorithm, issuer.
        let rest = next(next(next(rest)?.2)?.2)?.2;
        let (validity, rest) = element(rest, SEQUENCE)?;
        let (tag, end, _) = next(next(validity)?.2)?;
        let (subject, _) = element(rest, SEQUENCE)?;
        Some(Self { common_name: common_name(subject), expires_at: time(tag, end)? })
    }
}

/// The first element: its tag, its content, and what follows it.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits
            .iter()
            .try_fold(0_usize, |length, &digit| length.checked_mul(256)?.checked_add(usize::from(digit)))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn element(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = next(bytes)?;
    (tag == expected).then_some((content, rest))
}

fn common_name(mut subject: &[u8]) -> Option<String> {
    while let Some((set, rest)) = element(subject, SET) {
        subject = rest;
        let (pair, _) = element(set, SEQUENCE)?;
        let (kind, value) = element(pair, OBJECT_IDENTIFIER)?;
        if kind == COMMON_NAME {
            return String::from_utf8(next(value)?.1.to_vec()).ok();
        }
    }
    None
}

/// `YYMMDDHHMMSSZ` with years from 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, content: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok().filter(|text| text.is_ascii())?;
    let text = match tag {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let (date, clock) =
        ([part(0, 4)?, part(4, 6)?, part(6, 8)?].join("-"), [part(8, 10)?, part(10, 12)?, part(12, 14)?].join(":"));
    parse_rfc3339(&format!("{date}T{clock}Z"))
}

/// A certificate of `gate-1`, made with openssl, for tests.
#[doc(hidden)]
pub const EXAMPLE: &str = "-----BEGIN CERTIFICATE-----
MIIBsjCCAVmgAwIBAgIULytKwqN4riD7DKgVOZfgGXjQyskwCgYIKoZIzj0EAwIw
LzELMAkGA1UEBhMCUEwxDzANBgNVBAoMBkJvcmRlcjEPMA0GA1UEAwwGZ2F0ZS0x
MB4XDTI2MTEyMjAyMzk1MloXDTI5MDIyNDAyMzk1MlowLzELMAkGA1UEBhMCUEwx
DzANBgNVBAoMBkJvcmRlcjEPMA0GA1UEAwwGZ2F0ZS0xMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEeSjjG+5Asm3YR+i6glsnP0B+MGWNQM4DAsjB9mqeAhcb6icV
G7XM2+KQeUnB/wh4EvKSzdu7sqCRAtQ8YHCwgKNTMFEwHQYDVR0OBBYEFHdCXe9U
oP/dSuyz7ZIbBpkq5Mc3MB8GA1UdIwQYMBaAFHdCXe9UoP/dSuyz7ZIbBpkq5Mc3
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIfQRuh6dMrHII1+/XV
A0EG3gwsZXW1STCFT8P4ov9kMwIhAI3D5YlLbas26kULGVTFE453CwR+mztTkaZv
eE7fIje/
-----END CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEM: &str = EXAMPLE;

    #[test]
    fn name_and_end_are_read() {
        let certificate = Certificate::read(PEM.as_bytes()).expect("a certificate");
        assert_eq!(certificate.common_name.as_deref(), Some("gate-1"));
        assert_eq!(Some(certificate.expires_at), parse_rfc3339("2029-02-24T02:39:52Z"));
        assert_eq!(Certificate::read(b"nothing"), Err(CertificateError("no BEGIN line")));
    }

    proptest! {
        #[test]
        fn damaged_ones_are_refused_or_read_but_never_a_panic(at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let body: String = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
            let mut bytes = STANDARD.decode(body).expect("base64");
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = Certificate::from_der(&bytes);
            let _ = Certificate::from_der(&bytes[..cut.index(bytes.len())]);
        }
    }
}
