//! Panics: the message goes to the control block, the run ends.

use core::{fmt::Write, panic::PanicInfo, sync::atomic::Ordering};

use simrun_abi::control::{End, PANIC_SIZE};

use crate::{gate, state, supervisor};

struct Message(usize);

impl Write for Message {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = state::control().panic.iter().skip(self.0);
        for (place, byte) in room.zip(text.bytes()) {
            place.store(byte, Ordering::Relaxed);
            self.0 += 1;
        }
        Ok(())
    }
}

/// Ends the run with a message.
pub fn end_with(message: core::fmt::Arguments<'_>, end: End) -> ! {
    let control = state::control();
    let mut words = Message(0);
    let _ = words.write_fmt(message);
    control.panic_len.store(words.0.min(PANIC_SIZE) as u32, Ordering::Release);
    control.end.store(end as u32, Ordering::Release);
    supervisor::call();
    gate::exit(1)
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    end_with(format_args!("{info}"), End::Panic)
}

/// What the precompiled `alloc` refers to for unwinding, which never happens: panics abort.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    end_with(format_args!("a panic tried to unwind"), End::Panic)
}
