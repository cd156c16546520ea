//! Letting a thread go on step by step, to see whether it waits in a loop: see [`simrun_kernel::spin`].
//!
//! The processor's trap flag makes each instruction of the program end in a SIGTRAP. Only the program is ever looked at:
//! a step that leads into simrun ends the search.

use core::{cell::UnsafeCell, sync::atomic::Ordering};

use simrun_abi::layout;
use simrun_kernel::{
    arch::x86_64::TRAP_FLAG,
    host::Host,
    kernel::{Placed, Trap},
    spin::{self, Machine, Search, Step},
};

use crate::{
    frame::{SignalDetails, UserContext},
    shell::Shell,
    state, trap,
};

/// `si_code` of a SIGTRAP that the trap flag has made (sigaction(2)).
const TRAP_TRACE: i32 = 2;

struct Shared(UnsafeCell<Option<Search>>);

// SAFETY: only the holder of the token runs.
unsafe impl Sync for Shared {}

static SEARCH: Shared = Shared(UnsafeCell::new(None));

/// The search that goes on.
///
/// # Safety
/// No other reference to it may be in use.
#[allow(clippy::mut_from_ref)]
unsafe fn search() -> &'static mut Option<Search> {
    // SAFETY: the caller's.
    unsafe { &mut *SEARCH.0.get() }
}

/// Answers [`simrun_abi::control::PROBE_SIGNAL`]. It may come at any time: in the middle of the kernel it is ignored, as
/// the thread that was meant has come that far.
pub unsafe extern "C" fn on_probe(_: i32, _: *mut SignalDetails, context: *mut UserContext) {
    // SAFETY: the host passes the frame, which stays in place until this returns.
    let context = unsafe { &mut *context };
    let registers = &context.registers;
    if layout::is_own(registers.rip) {
        let control = state::control();
        control.inside_at.store(registers.rip, Ordering::Relaxed);
        control.looks_inside.fetch_add(1, Ordering::Release);
        return;
    }
    if registers.eflags & TRAP_FLAG != 0 {
        return;
    }
    // SAFETY: the program was interrupted, so nothing of the image is in use, and this process holds the token.
    if unsafe { state::kernel() }.is_none() {
        return;
    }
    begin(context, state::control().search_steps.load(Ordering::Relaxed));
}

/// Begins to look at so many instructions of the program, which this process is about to return to.
pub fn begin(context: &mut UserContext, steps: u64) {
    let begin = Machine::new(context.registers, Shell.segment_bases(), digest(context));
    // SAFETY: as in `on_probe`.
    unsafe { *search() = Some(Search::new(begin, steps)) };
    look(context);
}

/// A SIGTRAP; whether it came on the way into simrun of a thread that its tracer lets go one instruction, which is the
/// call that it makes then.
pub fn leave_step(details: &SignalDetails, context: &mut UserContext) -> bool {
    let ours = details.code == TRAP_TRACE && layout::is_own(context.registers.rip);
    if ours {
        context.registers.eflags &= !TRAP_FLAG;
    }
    ours
}

/// A SIGTRAP; whether it was a step of the search.
pub fn on_trap(details: &SignalDetails, context: &mut UserContext) -> bool {
    // SAFETY: as in `on_probe`.
    let ours = details.code == TRAP_TRACE && unsafe { search() }.is_some();
    if ours {
        look(context);
    }
    ours
}

/// Ends the search, as the thread enters the kernel in another way.
pub fn stop(context: &mut UserContext) {
    // SAFETY: as in `on_probe`.
    if unsafe { search() }.take().is_some() {
        context.registers.eflags &= !TRAP_FLAG;
    }
}

fn digest(context: &mut UserContext) -> u64 {
    // SAFETY: the frame is one the host made, still in place.
    spin::digest(unsafe { context.extended_state() })
}

/// Shows the search the thread's state, and goes on as it says.
fn look(context: &mut UserContext) {
    let context: *mut UserContext = context;
    let step = loop {
        // SAFETY: as in `on_probe`; the search does not reach for itself, and the frame stays in place.
        let step = unsafe {
            let Some(search) = search() else { return };
            let machine = Machine::new((*context).registers, Shell.segment_bases(), 0);
            trap::with_places(|places| {
                search.step(&mut Shell, places, machine, || digest(&mut *context))
            })
        };
        match step {
            // SAFETY: as above.
            Step::Jump(to) => unsafe { (*context).registers.rip = to },
            step => break step,
        }
    };
    // SAFETY: as above.
    let context = unsafe { &mut *context };
    match step {
        Step::Jump(_) => unreachable!("the loop above goes on from jumps"),
        Step::Further => context.registers.eflags |= TRAP_FLAG,
        Step::Circle(circle) => {
            stop(context);
            if trap::note_circle(circle) == Placed::Unpatched {
                trap::serve(context, Trap::Circling);
            }
        }
        Step::Computes(widest) => {
            stop(context);
            let control = state::control();
            control.search_loop.store(widest.unwrap_or(0), Ordering::Relaxed);
            control.searches.fetch_add(1, Ordering::Release);
        }
    }
}
