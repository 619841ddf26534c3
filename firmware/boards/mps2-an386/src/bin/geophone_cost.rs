//! Measures what the geophone chain costs: instructions for one second of samples, under `qemu-system-arm -icount shift=0`, where an
//! instruction takes a nanosecond. Prints one line on UART0 and stops the emulator.
#![no_std]
#![no_main]

use core::fmt::Write;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::entry;
use vedette_mps2_an386::Console;
use vedette_mps2_an386::clock::CLOCK_HZ;
use vedette_mps2_an386::uart::Port;
use vedette_node::detector::{Geophone, SAMPLE_RATE_HZ};

/// Seconds of samples, after the chain has warmed up.
const SECONDS: u32 = 10;
const WARM_UP_SECONDS: u32 = 70;
/// Nanoseconds of a timer tick, and so instructions.
const TICK_NS: u32 = 1_000_000_000 / CLOCK_HZ;

#[entry]
fn main() -> ! {
    Port::Uart0.open();
    let Some(mut peripherals) = cortex_m::Peripherals::take() else { cortex_m::peripheral::SCB::sys_reset() };
    let timer = &mut peripherals.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(0x00FF_FFFF);
    timer.clear_current();
    timer.enable_counter();

    let (mut geophone, mut noise, mut found) = (Geophone::new(10_000), 1_u32, 0_u32);
    let (mut ticks, mut sample_number) = (0_u64, 0_u32);
    for second in 0..WARM_UP_SECONDS + SECONDS {
        for _ in 0..SAMPLE_RATE_HZ {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // A step of 100 ms each 0.6 s, in noise.
            let step = if sample_number % 300 < 50 { 800 } else { 20 };
            let counts = ((noise >> 16) as i32 - 32_768) * step / 32_768;
            let now_ms = u64::from(sample_number) * 2;
            let before = SYST::get_current();
            found += u32::from(geophone.sample(now_ms, counts as i16).is_some());
            let after = SYST::get_current();
            if second >= WARM_UP_SECONDS {
                ticks += u64::from(before.wrapping_sub(after) & 0x00FF_FFFF);
            }
            sample_number += 1;
        }
    }
    let instructions = ticks * u64::from(TICK_NS) / u64::from(SECONDS);
    let _ = writeln!(
        Console::new(Port::Uart0),
        "{instructions} instructions per second of geophone data, {found} detections"
    );
    loop {
        cortex_m::asm::wfi();
    }
}
