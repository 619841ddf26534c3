//! How deep the stack has been: the memory below it is painted at the start, and what is no longer paint was used.

use cortex_m::register::msp;

const PAINT: u32 = 0xC5A3_5C3A;
/// The painter's own frame.
const MARGIN: usize = 256;

unsafe extern "C" {
    /// End of static data, where the stack must not come (cortex-m-rt's linker script).
    static mut __sheap: u32;
    /// Where the stack begins, at the top of the RAM.
    static mut _stack_start: u32;
}

fn bounds() -> (usize, usize) {
    ((&raw mut __sheap).expose_provenance(), (&raw mut _stack_start).expose_provenance())
}

/// Paints what the stack does not use now.
pub fn paint() {
    let (bottom, _) = bounds();
    for address in (bottom..msp::read() as usize - MARGIN).step_by(4) {
        // SAFETY: between static data and the stack nothing lives, and this frame is above the margin.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
}

/// Bytes of the deepest stack since [`paint`], and bytes there are for it.
#[must_use]
pub fn depth() -> (usize, usize) {
    let (bottom, top) = bounds();
    // SAFETY: these words are RAM, and only read.
    let is_paint =
        |&address: &usize| unsafe { core::ptr::with_exposed_provenance::<u32>(address).read_volatile() == PAINT };
    let clean = (bottom..top).step_by(4).take_while(is_paint).count() * 4;
    (top - bottom - clean, top - bottom)
}
