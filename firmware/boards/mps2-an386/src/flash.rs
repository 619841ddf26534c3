//! Flash pages in memory behind the part's 16 KiB, where no reset clears them.
//!
//! It behaves as flash does: erasing sets all bits, writing only clears them.

use vedette_node::UNIT;

/// Pages of the node's journal.
pub const PAGES: usize = 8;
/// Bytes of a page.
pub const PAGE_LEN: usize = 4096;
const BASE: usize = 0x2010_0000;

/// The flash; there is one.
#[derive(Debug)]
pub struct Flash(());

impl Flash {
    /// Takes the flash.
    ///
    /// # Safety
    /// To be called once: nothing else may use the memory behind it.
    #[must_use]
    pub const unsafe fn take() -> Self {
        Self(())
    }

    fn byte(page: usize, offset: usize) -> *mut u8 {
        assert!(page < PAGES && offset < PAGE_LEN);
        core::ptr::with_exposed_provenance_mut(BASE + page * PAGE_LEN + offset)
    }

    /// Reads bytes of a page.
    pub fn read(&self, page: usize, offset: usize, bytes: &mut [u8]) {
        for (index, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: within the 4 MB of RAM, and ours alone by the contract of `take`.
            *byte = unsafe { Self::byte(page, offset + index).read_volatile() };
        }
    }

    /// Clears the bits that are zero in `unit`.
    pub fn write(&mut self, page: usize, offset: usize, unit: [u8; UNIT]) {
        for (index, byte) in unit.into_iter().enumerate() {
            let place = Self::byte(page, offset + index);
            // SAFETY: as above.
            unsafe { place.write_volatile(place.read_volatile() & byte) };
        }
    }

    /// Sets all bits of a page.
    pub fn erase(&mut self, page: usize) {
        for offset in 0..PAGE_LEN {
            // SAFETY: as above.
            unsafe { Self::byte(page, offset).write_volatile(0xFF) };
        }
    }
}
