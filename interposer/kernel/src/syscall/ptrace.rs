//! ptrace(2). Any thread of the tracer's process may trace, where Linux has the one that began it.

use alloc::{vec, vec::Vec};

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::{
    elf_uapi::{NT_PRFPREG, NT_PRSTATUS, NT_X86_XSTATE},
    ptrace as raw,
};

use super::memory_of;
use crate::{
    arch::x86_64::extended_state::{self, LEGACY_STATE},
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::{
        GoesOn, ProcessState, State, Stop, ThreadId, Trace, TraceEvent, TraceOptions, UserRegisters,
    },
    signal::{Signal, SignalInfo, SignalSet},
    uapi::signal::{RawSignalInfo, SIGSET_SIZE},
    user::{self, UserPtr, UserSlice},
};

// Requests that are the processor's (arch/x86/include/uapi/asm/ptrace-abi.h).
const GETREGS: u32 = 12;
const SETREGS: u32 = 13;
const GETFPREGS: u32 = 14;
const SETFPREGS: u32 = 15;

/// `AUDIT_ARCH_X86_64`.
const ARCHITECTURE: u32 = 0xc000_003e;
/// Bytes of a word.
const WORD: u64 = size_of::<u64>() as u64;
/// Bytes of `struct user`, of which the registers come first.
const USER_SIZE: u64 = 912;

/// ptrace(2).
pub fn ptrace(
    cx: &mut Context<'_>,
    [request, pid, address, data, ..]: [u64; 6],
) -> Result<Outcome> {
    let request = request as u32;
    match request {
        raw::PTRACE_TRACEME => return trace_me(cx),
        raw::PTRACE_ATTACH => return attach(cx, pid, None),
        raw::PTRACE_SEIZE => {
            if address != 0 {
                return Err(Errno::EIO.into());
            }
            return attach(cx, pid, Some(options(data).map_err(|_| Errno::EIO)?));
        }
        _ => {}
    }
    let tracee = find_tracee(cx, pid)?;
    let is_stopped = cx.kernel.thread(tracee).state == State::Traced;
    match request {
        raw::PTRACE_KILL => {
            if is_stopped {
                cx.kernel.let_tracee_go(tracee, GoesOn::Freely, Some(Signal::KILL));
            }
        }
        raw::PTRACE_INTERRUPT => {
            if !trace(cx, tracee).is_seized {
                return Err(Errno::EIO.into());
            }
            cx.kernel.interrupt_tracee(tracee);
        }
        _ if !is_stopped => return Err(Errno::ESRCH.into()),
        raw::PTRACE_GET_SYSCALL_INFO => return call_info(cx, tracee, address, data),
        _ => serve(cx, tracee, request, [address, data])?,
    }
    Ok(Outcome::Done(0))
}

/// A request to a thread that has stopped.
fn serve(cx: &mut Context<'_>, tracee: ThreadId, request: u32, words: [u64; 2]) -> Result<()> {
    let [address, data] = words;
    let goes_on = match request {
        raw::PTRACE_CONT => GoesOn::Freely,
        raw::PTRACE_SYSCALL => GoesOn::ToCall,
        raw::PTRACE_SINGLESTEP => GoesOn::OneStep,
        raw::PTRACE_DETACH => {
            let signal = signal_argument(data)?;
            cx.kernel.end_trace(tracee, signal);
            return Ok(());
        }
        raw::PTRACE_LISTEN => return listen(cx, tracee),
        raw::PTRACE_SETOPTIONS => {
            trace(cx, tracee).options = options(data)?;
            return Ok(());
        }
        raw::PTRACE_GETREGSET => return get_register_set(cx, tracee, address as u32, data),
        raw::PTRACE_SETREGSET => return set_register_set(cx, tracee, address as u32, data),
        raw::PTRACE_GETSIGMASK | raw::PTRACE_SETSIGMASK if address != SIGSET_SIZE => {
            return Err(Errno::EINVAL.into());
        }
        raw::PTRACE_POKETEXT
        | raw::PTRACE_POKEDATA
        | raw::PTRACE_POKEUSR
        | raw::PTRACE_SETSIGINFO
        | raw::PTRACE_SETSIGMASK
        | SETREGS
        | SETFPREGS => return change(cx, tracee, request, words),
        _ => return look(cx, tracee, request, words),
    };
    let signal = signal_argument(data)?;
    cx.kernel.let_tracee_go(tracee, goes_on, signal);
    Ok(())
}

/// Tells something of a thread.
fn look(
    cx: &mut Context<'_>,
    tracee: ThreadId,
    request: u32,
    [address, data]: [u64; 2],
) -> Result<()> {
    match request {
        raw::PTRACE_GETEVENTMSG => {
            let message = trace(cx, tracee).message;
            cx.write(UserPtr::new(data), &message)
        }
        raw::PTRACE_PEEKTEXT | raw::PTRACE_PEEKDATA => {
            let word = peek(cx, tracee, address)?;
            cx.write(UserPtr::new(data), &word)
        }
        raw::PTRACE_PEEKUSR => {
            let word = peek_user(cx, tracee, address)?;
            cx.write(UserPtr::new(data), &word)
        }
        GETREGS => {
            let registers = registers(cx, tracee);
            cx.write(UserPtr::new(data), &registers)
        }
        GETFPREGS => {
            let state = extended_state(cx, tracee);
            user::write_bytes(cx.host, data, &state[..LEGACY_STATE])
        }
        raw::PTRACE_GETSIGINFO => {
            let info = stop_info(cx, tracee)?.to_raw();
            cx.write(UserPtr::new(data), &info)
        }
        raw::PTRACE_GETSIGMASK => {
            let mask = cx.kernel.thread(tracee).signals.mask.0;
            cx.write(UserPtr::new(data), &mask)
        }
        _ => Err(Error::new(Errno::EIO, "there is no such request")),
    }
}

/// Changes something of a thread.
fn change(
    cx: &mut Context<'_>,
    tracee: ThreadId,
    request: u32,
    [address, data]: [u64; 2],
) -> Result<()> {
    match request {
        raw::PTRACE_POKEUSR => poke_user(cx, tracee, address, data),
        SETREGS => {
            let registers = cx.read(UserPtr::new(data))?;
            set_registers(cx, tracee, &registers);
            Ok(())
        }
        SETFPREGS => {
            let mut bytes = [0; LEGACY_STATE];
            user::read_bytes(cx.host, data, &mut bytes)?;
            set_extended_state(cx, tracee, &bytes);
            Ok(())
        }
        raw::PTRACE_SETSIGINFO => set_signal_info(cx, tracee, data),
        raw::PTRACE_SETSIGMASK => {
            let mask: u64 = cx.read(UserPtr::new(data))?;
            cx.kernel.set_signal_mask(tracee, SignalSet(mask));
            Ok(())
        }
        _ => memory_of::write(cx, tracee, address, &data.to_le_bytes()),
    }
}

/// `PTRACE_TRACEME`.
fn trace_me(cx: &mut Context<'_>) -> Result<Outcome> {
    let parent = cx.process().parent;
    let own = cx.thread;
    match parent {
        _ if cx.thread().trace.is_some() => Err(Errno::EPERM.into()),
        Some(parent) => {
            let trace = Trace::new(parent, false, TraceOptions::empty());
            cx.kernel.begin_trace(own, trace);
            Ok(Outcome::Done(0))
        }
        None => Err(Errno::EPERM.into()),
    }
}

/// `PTRACE_ATTACH` and, with options, `PTRACE_SEIZE` (`ptrace_attach` in kernel/ptrace.c).
fn attach(cx: &mut Context<'_>, pid: u64, seizes: Option<TraceOptions>) -> Result<Outcome> {
    let target = find(cx, pid)?;
    let (process, own) = (cx.kernel.thread(target).process, cx.thread().process);
    if process == own || cx.kernel.is_init(process) {
        return Err(Errno::EPERM.into());
    }
    cx.check_trace_access(process)?;
    let is_alive = cx.kernel.process(process).state == ProcessState::Alive;
    if !is_alive || cx.kernel.thread(target).trace.is_some() {
        return Err(Errno::EPERM.into());
    }
    match seizes {
        Some(options) => cx.kernel.begin_trace(target, Trace::new(own, true, options)),
        None => cx.kernel.attach(target, own),
    }
    Ok(Outcome::Done(0))
}

/// The thread with this number.
fn find(cx: &Context<'_>, pid: u64) -> Result<ThreadId> {
    match pid as i32 {
        ..=0 => Err(Errno::ESRCH.into()),
        _ => cx.kernel.find_thread(cx.thread, pid),
    }
}

/// The thread with this number, if the caller's process traces it.
fn find_tracee(cx: &mut Context<'_>, pid: u64) -> Result<ThreadId> {
    let (tracee, own) = (find(cx, pid)?, cx.thread().process);
    let trace = cx.kernel.thread(tracee).trace.as_ref();
    if trace.is_some_and(|trace| trace.tracer == own) {
        Ok(tracee)
    } else {
        Err(Errno::ESRCH.into())
    }
}

fn trace<'a>(cx: &'a mut Context<'_>, tracee: ThreadId) -> &'a mut Trace {
    let trace = cx.kernel.thread_mut(tracee).trace.as_mut();
    trace.unwrap_or_else(|| unreachable!("it was looked at before"))
}

fn options(data: u64) -> Result<TraceOptions> {
    let known = u32::try_from(data).ok().and_then(TraceOptions::from_bits);
    known.ok_or(Error::new(Errno::EINVAL, "an option of tracing that there is not"))
}

fn signal_argument(data: u64) -> Result<Option<Signal>> {
    match data {
        0 => Ok(None),
        number => Signal::new(number).map(Some).ok_or(Errno::EIO.into()),
    }
}

/// `PTRACE_LISTEN`: a stopped job stays so, without being shown again.
fn listen(cx: &mut Context<'_>, tracee: ThreadId) -> Result<()> {
    let trace = trace(cx, tracee);
    let is_job = matches!(trace.stop, Some(Stop::Group(_) | Stop::Event(TraceEvent::Stop, _)));
    if !trace.is_seized || !is_job {
        return Err(Errno::EIO.into());
    }
    trace.is_news = false;
    Ok(())
}

fn peek(cx: &mut Context<'_>, tracee: ThreadId, address: u64) -> Result<u64> {
    let mut word = [0; WORD as usize];
    memory_of::read(cx, tracee, address, &mut word)?;
    Ok(u64::from_le_bytes(word))
}

fn registers(cx: &Context<'_>, tracee: ThreadId) -> UserRegisters {
    UserRegisters::of(cx.kernel.thread(tracee))
}

fn set_registers(cx: &mut Context<'_>, tracee: ThreadId, registers: &UserRegisters) {
    if registers.set(cx.kernel.thread_mut(tracee)) {
        cx.kernel.end_call(cx.host, tracee);
    }
}

/// A word of `struct user`: registers, and what else is there, which is nothing.
fn peek_user(cx: &Context<'_>, tracee: ThreadId, offset: u64) -> Result<u64> {
    if !offset.is_multiple_of(WORD) || offset >= USER_SIZE {
        return Err(Errno::EIO.into());
    }
    let registers = registers(cx, tracee);
    let words: &[u64] = bytemuck::cast_slice(core::slice::from_ref(&registers));
    Ok(words.get((offset / WORD) as usize).copied().unwrap_or(0))
}

/// Debug registers, behind the others, take only zero.
fn poke_user(cx: &mut Context<'_>, tracee: ThreadId, offset: u64, word: u64) -> Result<()> {
    if !offset.is_multiple_of(WORD) || offset >= USER_SIZE {
        return Err(Errno::EIO.into());
    }
    let mut registers = registers(cx, tracee);
    let words: &mut [u64] = bytemuck::cast_slice_mut(core::slice::from_mut(&mut registers));
    match words.get_mut((offset / WORD) as usize) {
        Some(place) => *place = word,
        None if word == 0 => return Ok(()),
        None => return Err(Error::new(Errno::EIO, "there are no debug registers")),
    }
    set_registers(cx, tracee, &registers);
    Ok(())
}

/// The extended state of a thread that has stopped; one that has not used any has that of a new program.
fn extended_state(cx: &mut Context<'_>, tracee: ThreadId) -> Vec<u8> {
    let mut state = cx.kernel.thread(tracee).extended_state.clone();
    if state.is_empty() {
        state = cx.host.extended_state().to_vec();
        extended_state::reset(&mut state);
    }
    state.resize(state.len().max(LEGACY_STATE), 0);
    state
}

fn set_extended_state(cx: &mut Context<'_>, tracee: ThreadId, bytes: &[u8]) {
    let mut state = extended_state(cx, tracee);
    let len = bytes.len().min(state.len());
    extended_state::adopt(&mut state, &bytes[..len]);
    cx.kernel.thread_mut(tracee).extended_state = state;
}

/// The one buffer that a set of registers comes or goes in.
fn buffer_of(cx: &mut Context<'_>, vector: u64) -> Result<UserSlice> {
    let [address, len]: [u64; 2] = cx.read(UserPtr::new(vector))?;
    Ok(UserSlice::new(address, len))
}

fn get_register_set(cx: &mut Context<'_>, tracee: ThreadId, kind: u32, vector: u64) -> Result<()> {
    let into = buffer_of(cx, vector)?;
    let registers = registers(cx, tracee);
    let bytes = match kind {
        NT_PRSTATUS => bytemuck::bytes_of(&registers).to_vec(),
        NT_PRFPREG => extended_state(cx, tracee)[..LEGACY_STATE].to_vec(),
        NT_X86_XSTATE => {
            let mut state = extended_state(cx, tracee);
            extended_state::show_components(&mut state, cx.host.extended_state());
            state
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    if !into.len.is_multiple_of(WORD as usize) {
        return Err(Errno::EINVAL.into());
    }
    let len = bytes.len().min(into.len);
    user::write_bytes(cx.host, into.address, &bytes[..len])?;
    cx.write(UserPtr::new(vector + WORD), &(len as u64))
}

fn set_register_set(cx: &mut Context<'_>, tracee: ThreadId, kind: u32, vector: u64) -> Result<()> {
    /// No component is larger.
    const STATE_MAX: usize = 64 << 10;
    let from = buffer_of(cx, vector)?;
    if !from.len.is_multiple_of(WORD as usize) {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0; from.len.min(STATE_MAX)];
    user::read_bytes(cx.host, from.address, &mut bytes)?;
    match kind {
        NT_PRSTATUS => {
            let mut registers = registers(cx, tracee);
            let place = bytemuck::bytes_of_mut(&mut registers);
            let len = bytes.len().min(place.len());
            place[..len].copy_from_slice(&bytes[..len]);
            set_registers(cx, tracee, &registers);
        }
        NT_PRFPREG => set_extended_state(cx, tracee, &bytes[..bytes.len().min(LEGACY_STATE)]),
        NT_X86_XSTATE => set_extended_state(cx, tracee, &bytes),
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(())
}

/// What comes with the stop that a thread is in.
fn stop_info(cx: &mut Context<'_>, tracee: ThreadId) -> Result<SignalInfo> {
    let trace = trace(cx, tracee);
    let info = trace.stop.and_then(|stop| stop.info(trace));
    info.ok_or(Error::new(Errno::EINVAL, "a stopped job has no signal to it"))
}

fn set_signal_info(cx: &mut Context<'_>, tracee: ThreadId, data: u64) -> Result<()> {
    let raw: RawSignalInfo = cx.read(UserPtr::new(data))?;
    let signal = Signal::new(raw.signal as u64).ok_or(Errno::EINVAL)?;
    match &mut trace(cx, tracee).stop {
        Some(Stop::Signal(info)) => {
            *info = SignalInfo::from_raw(signal, &raw);
            Ok(())
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// `struct ptrace_syscall_info`, with the larger of its variants.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct CallInfo {
    kind: u8,
    pad: [u8; 3],
    architecture: u32,
    instruction: u64,
    stack: u64,
    /// At a call's beginning its number and arguments, at its end its result and whether it is an error.
    words: [u64; 7],
}

/// Bytes that are filled in of each variant.
const INFO_NONE: usize = 24;
const INFO_ENTRY: usize = 80;
const INFO_EXIT: usize = 33;

/// `PTRACE_GET_SYSCALL_INFO`.
fn call_info(cx: &mut Context<'_>, tracee: ThreadId, size: u64, to: u64) -> Result<Outcome> {
    let registers = registers(cx, tracee);
    let mut info = CallInfo {
        architecture: ARCHITECTURE,
        instruction: registers.rip,
        stack: registers.rsp,
        ..CallInfo::default()
    };
    let filled = match trace(cx, tracee).stop {
        Some(Stop::CallEntry) => {
            info.kind = raw::PTRACE_SYSCALL_INFO_ENTRY as u8;
            let UserRegisters { rdi, rsi, rdx, r10, r8, r9, .. } = registers;
            info.words = [registers.orig_rax, rdi, rsi, rdx, r10, r8, r9];
            INFO_ENTRY
        }
        Some(Stop::CallExit) => {
            info.kind = raw::PTRACE_SYSCALL_INFO_EXIT as u8;
            let is_error = (registers.rax as i64) < 0 && (registers.rax as i64) >= -4095;
            (info.words[0], info.words[1]) = (registers.rax, is_error.into());
            INFO_EXIT
        }
        _ => INFO_NONE,
    };
    let len = filled.min(usize::try_from(size).unwrap_or(usize::MAX));
    user::write_bytes(cx.host, to, &bytemuck::bytes_of(&info)[..len])?;
    Ok(Outcome::Done(filled as u64))
}
