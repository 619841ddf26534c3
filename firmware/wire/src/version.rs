//! The one version number of everything this crate puts on the air or on the serial line, and the rule by which it grows.
//!
//! **Growth rule.** The bytes of a released version never change.
//!
//! - A payload or link message that needs another layout gets a new kind number; kind numbers are appended and never reused,
//!   so a payload decodes by its kind alone, without its frame's version.
//! - Any new kind, and any change of the radio header or of the link frame, raises [`CURRENT`] by one and adds a file of
//!   golden bytes under `tests/`; existing golden files are not edited.
//! - A receiver accepts [`MIN`] to [`CURRENT`]. A node says both in its hello and may send nothing newer than the version in
//!   the last acknowledgement it got, so that the gateway can be updated first or last.
//!   What has not heard from the other side yet speaks [`MIN`].
//! - [`MIN`] rises only when no fielded node speaks the old version any more.
//!
//! Version 2 added the payload [`Position`](crate::payload::Position). The serial link is as it was: its frames go on saying
//! [`LINK`], so that concentrators of version 1 read them.

/// Oldest version this build understands.
pub const MIN: u8 = 1;

/// Newest version this build understands, and speaks with whoever does.
pub const CURRENT: u8 = 2;

/// Version of the newest message on the serial link.
pub const LINK: u8 = 1;

/// Highest version two ends have in common, or `None` when their ranges do not meet.
#[must_use]
pub const fn common(peer_min: u8, peer_current: u8) -> Option<u8> {
    let highest = if peer_current < CURRENT { peer_current } else { CURRENT };
    if highest >= MIN && highest >= peer_min { Some(highest) } else { None }
}
