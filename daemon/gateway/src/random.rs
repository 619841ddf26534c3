//! Random bytes of the system.

use std::fs::File;
use std::io::Read;

/// Fills an array.
///
/// # Errors
/// When `/dev/urandom` cannot be read.
pub fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// 64 random bits as 16 hexadecimal digits.
///
/// # Errors
/// As [`bytes`].
pub fn hex() -> std::io::Result<String> {
    Ok(format!("{:016x}", u64::from_le_bytes(bytes()?)))
}
