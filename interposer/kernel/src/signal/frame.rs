//! The frame that a handler runs on, and the way back (arch/x86/kernel/signal_64.c, arch/x86/kernel/fpu/signal.c).

use alloc::vec;

use super::{Action, ActionFlags, AlternateStack, SignalInfo, SignalSet};
use crate::{
    arch::x86_64::{
        TRAP_FLAG,
        extended_state::{adopt, at, word},
    },
    host::Host,
    kernel::Kernel,
    process::ThreadId,
    uapi::signal::{CONTEXT_FLAGS, SignalFrame, USER_CS, USER_SS, UserContext},
    user::{self, UserPtr},
};

/// A frame could not be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame;

impl From<crate::error::Error> for BadFrame {
    fn from(_: crate::error::Error) -> Self {
        Self
    }
}

/// Bytes below the stack pointer that a function may use (the ABI's red zone).
const RED_ZONE: u64 = 128;
/// Alignment of the extended state.
const STATE_ALIGN: u64 = 64;
/// Alignment of a frame, less the return address that a call would have pushed.
const FRAME_ALIGN: u64 = 16;
/// `FP_XSTATE_MAGIC2`, right after the extended state.
const MAGIC2: u32 = 0x4650_5845;
/// `FP_XSTATE_MAGIC1`.
const MAGIC1: u32 = 0x4650_5853;
const DIRECTION_FLAG: u64 = 1 << 10;
const RESUME_FLAG: u64 = 1 << 16;
/// What a program may set in its flags (`FIX_EFLAGS` in arch/x86/kernel/signal.c): AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF.
const FLAGS_SETTABLE: u64 = 0x0005_0dd5;

/// Where a frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    frame: u64,
    state: u64,
}

/// Finds the place of a frame: below the red zone or on the alternate stack (`get_sigframe`).
fn place(
    pointer: u64,
    on_stack: bool,
    stack: &AlternateStack,
    state_size: u64,
) -> Result<Place, BadFrame> {
    let nested = stack.is_in_use(pointer);
    let mut top = pointer.wrapping_sub(RED_ZONE);
    let mut entering = false;
    if on_stack
        && let Some(upper) = stack.top()
        && !stack.is_in_use(top)
    {
        (top, entering) = (upper, true);
    }
    let state = top.wrapping_sub(state_size) & !(STATE_ALIGN - 1);
    let frame =
        (state.wrapping_sub(size_of::<SignalFrame>() as u64) & !(FRAME_ALIGN - 1)).wrapping_sub(8);
    if (nested || entering) && !stack.contains(frame) {
        return Err(BadFrame);
    }
    Ok(Place { frame, state })
}

impl Kernel {
    /// Lets a thread, which is loaded, run a handler when it returns.
    pub(super) fn enter_handler(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        action: &Action,
        info: &SignalInfo,
    ) -> Result<(), BadFrame> {
        if !action.flags.contains(ActionFlags::RESTORER) {
            return Err(BadFrame);
        }
        let mut state = host.extended_state().to_vec();
        if word(&state, at::MAGIC1) == MAGIC1 {
            state.extend_from_slice(&MAGIC2.to_le_bytes());
        }
        let thread = self.thread_mut(id);
        let signals = &thread.signals;
        let on_stack = action.flags.contains(ActionFlags::ON_STACK);
        let place = place(thread.registers.rsp, on_stack, &signals.stack, state.len() as u64)?;
        let saved = signals.saved_mask.unwrap_or(signals.mask);
        let frame = SignalFrame {
            restorer: action.restorer,
            context: UserContext {
                flags: CONTEXT_FLAGS,
                stack: signals.stack.to_raw(),
                registers: thread.registers,
                segments: [USER_CS, 0, 0, USER_SS],
                error_code: signals.exception.error,
                trap_number: signals.exception.number,
                old_mask: saved.0,
                fault_address: signals.exception.address,
                extended_state: place.state,
                mask: saved.0,
                ..UserContext::default()
            },
            info: info.to_raw(),
        };
        user::write_bytes(host, place.state, &state)?;
        user::write(host, UserPtr::new(place.frame), &frame)?;
        host.reset_extended_state();
        self.start_handler(id, action, info, place.frame);
        Ok(())
    }

    fn start_handler(&mut self, id: ThreadId, action: &Action, info: &SignalInfo, frame: u64) {
        let thread = self.thread_mut(id);
        let registers = &mut thread.registers;
        registers.rdi = u64::from(info.signal.number());
        registers.rsi = frame + core::mem::offset_of!(SignalFrame, info) as u64;
        registers.rdx = frame + core::mem::offset_of!(SignalFrame, context) as u64;
        registers.rax = 0;
        registers.rsp = frame;
        registers.rip = action.handler;
        registers.eflags &= !(DIRECTION_FLAG | TRAP_FLAG | RESUME_FLAG);
        thread.signals.saved_mask = None;
        if thread.signals.stack.disarms() {
            thread.signals.stack = AlternateStack::disabled();
        }
        let mut mask = thread.signals.mask.union(action.mask);
        if !action.flags.contains(ActionFlags::NO_DEFER) {
            mask.insert(info.signal);
        }
        self.set_signal_mask(id, mask);
    }

    /// Goes back to where the handler's frame, on which the current thread's stack pointer stands, says
    /// (rt_sigreturn(2)).
    ///
    /// # Errors
    /// For a frame that cannot be read or was damaged.
    pub fn leave_handler(&mut self, host: &mut dyn Host, id: ThreadId) -> Result<(), BadFrame> {
        // The return took the restorer's address off.
        let frame = self.thread(id).registers.rsp.wrapping_sub(8);
        let context = frame.wrapping_add(core::mem::offset_of!(SignalFrame, context) as u64);
        let context = user::read(host, UserPtr::<UserContext>::new(context))?;
        self.set_signal_mask(id, SignalSet(context.mask));
        restore_extended_state(host, context.extended_state)?;
        let thread = self.thread_mut(id);
        let flags = thread.registers.eflags;
        thread.registers = context.registers;
        thread.registers.eflags =
            flags & !FLAGS_SETTABLE | context.registers.eflags & FLAGS_SETTABLE;
        // As in Linux (restore_altstack), a stack that could not be set is left out.
        let in_use = thread.signals.stack.is_in_use(context.registers.rsp);
        if let (Ok(stack), false) = (AlternateStack::from_raw(&context.stack), in_use) {
            thread.signals.stack = stack;
        }
        Ok(())
    }
}

fn restore_extended_state(host: &mut dyn Host, address: u64) -> Result<(), BadFrame> {
    if address == 0 {
        host.reset_extended_state();
        return Ok(());
    }
    let size = host.extended_state().len();
    let mut saved = vec![0; size.min(at::HEADER)];
    user::read_bytes(host, address, &mut saved)?;
    let whole = word(&saved, at::MAGIC1) == MAGIC1
        && word(&saved, at::SIZE) as usize == size
        && has_magic2(host, address.wrapping_add(size as u64));
    if whole {
        saved = vec![0; size];
        user::read_bytes(host, address, &mut saved)?;
    }
    let state = host.extended_state();
    adopt(state, &saved);
    Ok(())
}

fn has_magic2(host: &mut dyn Host, address: u64) -> bool {
    user::read(host, UserPtr::<u32>::new(address)) == Ok(MAGIC2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uapi::signal::RawStack;

    fn stack(base: u64, size: u64) -> AlternateStack {
        AlternateStack::from_raw(&RawStack { base, flags: 0, pad: 0, size }).expect("valid")
    }

    #[test]
    fn a_frame_leaves_the_red_zone_and_is_aligned_as_a_call_leaves_the_stack() {
        for pointer in 0x7fff_0000..0x7fff_0080 {
            let place = place(pointer, false, &AlternateStack::default(), 2700).expect("a place");
            assert_eq!((place.frame % 16, place.state % 64), (8, 0));
            assert!(place.state + 2700 <= pointer - RED_ZONE);
            assert!(place.frame + size_of::<SignalFrame>() as u64 <= place.state);
        }
    }

    #[test]
    fn the_alternate_stack_is_entered_once_and_never_overflows() {
        let alternate = stack(0x10000, 0x4000);
        let first = place(0x7fff_0000, true, &alternate, 2700).expect("room");
        assert!(alternate.contains(first.frame));
        let second = place(first.frame, true, &alternate, 2700).expect("room below");
        assert!(second.state + 2700 <= first.frame - RED_ZONE);
        assert_eq!(place(0x10400, true, &alternate, 2700), Err(BadFrame));
        assert_eq!(place(0x7fff_0000, true, &stack(0x10000, 0x800), 2700), Err(BadFrame));
    }

    #[test]
    fn the_frame_has_the_size_that_linux_gives_it() {
        assert_eq!(size_of::<SignalFrame>(), 440);
        assert_eq!(core::mem::offset_of!(SignalFrame, info), 312);
        assert_eq!(size_of::<UserContext>(), 304);
    }
}
