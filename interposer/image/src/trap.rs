//! From a host signal to the kernel and back.

use alloc::collections::BTreeMap;
use core::sync::atomic::Ordering;

use linux_raw_sys::general as nr;
use simrun_abi::{control::End, layout};
use simrun_kernel::{
    arch::x86_64::Registers,
    kernel::{Kernel, Placed, Trap, Way},
    mm::SpaceId,
    outcome::Next,
    signal::{Signal, SignalInfo},
    spin::{Circle, Place},
};

use crate::{
    frame::{SignalDetails, UserContext},
    gate, last_words,
    patched::{FLAGS_OF_PROGRAM, PatchedFrame},
    shell::Shell,
    start,
    state::{self, Frame},
    steps, supervisor, token, user_copy,
};

const SIGILL: usize = 4;
const SIGTRAP: usize = 5;
const SIGBUS: usize = 7;
const SIGFPE: usize = 8;
const SIGSEGV: usize = 11;
const SIGSYS: usize = 31;
const SIGPROF: usize = simrun_abi::control::PROBE_SIGNAL as usize;
const SA_SIGINFO: u64 = 4;
const SA_RESTORER: u64 = 0x0400_0000;
const SA_ONSTACK: u64 = 0x0800_0000;
const SA_RESTART: u64 = 0x1000_0000;
const SA_NODEFER: u64 = 0x4000_0000;
/// Size of the kernel's `sigset_t`.
const SIGSET_SIZE: usize = 8;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// `si_code` of an exception that names no address, such as a trapped `rdtsc`.
const SI_KERNEL: i32 = 0x80;

type Handler = unsafe extern "C" fn(i32, *mut SignalDetails, *mut UserContext);

#[repr(C)]
struct Action {
    handler: Handler,
    flags: u64,
    restorer: unsafe extern "C" fn(),
    mask: u64,
}

#[repr(C)]
struct AlternateStack {
    base: u64,
    flags: i32,
    size: u64,
}

/// Makes the trap stack the one for signals, and traps and exceptions ours. Both outlive fork.
pub fn install_handlers() {
    let bottom = layout::TRAP_STACK_TOP - layout::TRAP_STACK_SIZE;
    let size = layout::TRAP_STACK_SIZE - layout::ENTRY_AREA_SIZE;
    let stack = AlternateStack { base: bottom, flags: 0, size };
    let (stack_call, action_call, mask_call) =
        (nr::__NR_sigaltstack, nr::__NR_rt_sigaction, nr::__NR_rt_sigprocmask);
    const SIG_SETMASK: usize = 2;
    let no_signals = 0u64;
    // SAFETY: the kernel reads the structures during the calls.
    unsafe {
        let _ = gate::call(
            mask_call,
            [SIG_SETMASK, &raw const no_signals as usize, 0, SIGSET_SIZE, 0, 0],
        );
        let set = gate::call(stack_call, [&raw const stack as usize, 0, 0, 0, 0, 0]);
        assert!(set.is_ok(), "the trap stack can be installed: {set:?}");
        for signal in [SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGPROF] {
            let handler: Handler = match signal {
                SIGSYS => on_call_entry,
                SIGPROF => on_probe_entry,
                _ => on_exception_entry,
            };
            let flags = SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER | SA_RESTART;
            let action = Action { handler, flags, restorer: gate::simrun_restorer, mask: 0 };
            let set =
                gate::call(action_call, [signal, &raw const action as usize, 0, SIGSET_SIZE, 0, 0]);
            assert!(set.is_ok(), "signal {signal} can be handled: {set:?}");
        }
    }
}

/// Defines the way into a handler. Linux leaves a handler the alignment check and the nested task flag as the program
/// had them, where its own entry would clear them (`MSR_SYSCALL_MASK`, arch/x86/kernel/cpu/common.c). With the one, an
/// unaligned access of the image is a fault, with the other its `iretq`.
macro_rules! handler_entry {
    ($entry:ident, $handler:path) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $entry(_: i32, _: *mut SignalDetails, _: *mut UserContext) {
            core::arch::naked_asm!(
                "pushfq",
                "and dword ptr [rsp], {kept}",
                "popfq",
                "jmp {handler}",
                kept = const !FLAGS_OF_PROGRAM,
                handler = sym $handler,
            )
        }
    };
}

handler_entry!(on_call_entry, on_call);
handler_entry!(on_exception_entry, on_exception);
handler_entry!(on_probe_entry, steps::on_probe);

/// A system call outside the gate.
unsafe extern "C" fn on_call(_: i32, details: *mut SignalDetails, context: *mut UserContext) {
    // SAFETY: the host passes both; they stay in place until this returns.
    let (details, context) = unsafe { (&*details, &mut *context) };
    // SAFETY: no other reference to the kernel is in use: a trap comes from a program or from `start`.
    let booted = unsafe { state::kernel() }.is_some();
    if !booted {
        return boot(context);
    }
    if details.arch == AUDIT_ARCH_X86_64 {
        context.registers.rax = u64::from(details.number as u32);
        serve(context, Trap::Call(Way::Trapped));
    } else {
        serve_exception(context, SIGSYS, details);
    }
}

/// An exception of the processor.
unsafe extern "C" fn on_exception(
    signal: i32,
    details: *mut SignalDetails,
    context: *mut UserContext,
) {
    // SAFETY: as in `on_call`.
    let (details, context) = unsafe { (&*details, &mut *context) };
    let rip = context.registers.rip;
    if let Some(rip) = user_copy::fix_up(rip) {
        context.registers.rip = rip;
        return;
    }
    if signal as usize == SIGTRAP
        && (steps::on_trap(details, context) || steps::leave_step(details, context))
    {
        return;
    }
    let address = details.address;
    // What cannot be executed is no place for the image to be at: a program has jumped there.
    let image = layout::IMAGE_BASE..layout::IMAGE_BASE + layout::IMAGE_SIZE;
    if image.contains(&rip) && address != rip {
        last_words::end_with(
            format_args!("signal {signal} at {rip:#x} touching {address:#x}"),
            End::Panic,
        );
    }
    let counter = if details.code == SI_KERNEL { time_stamp_read(rip) } else { None };
    if let Some((len, with_processor)) = counter {
        context.registers.rip += len;
        return serve(context, Trap::Tsc { with_processor });
    }
    serve_exception(context, signal as usize, details);
}

fn serve_exception(context: &mut UserContext, signal: usize, details: &SignalDetails) {
    let Some(signal) = Signal::new(signal as u64) else { unreachable!("the host names signals") };
    let info = SignalInfo::exception(signal, details.code, details.address);
    let exception = context.exception();
    serve(context, Trap::Exception { info, exception });
}

/// Length of the instruction and whether it is `rdtscp`, if it reads the time stamp counter.
fn time_stamp_read(rip: u64) -> Option<(u64, bool)> {
    let mut code = [0u8; 3];
    // SAFETY: the array is valid, and the address is not one of simrun's.
    let copied = unsafe {
        user_copy::copy(code.as_mut_ptr(), core::ptr::with_exposed_provenance(rip as usize), 3)
    };
    match (copied, code) {
        (Ok(()), [0x0f, 0x31, _]) => Some((2, false)),
        (Ok(()), [0x0f, 0x01, 0xf9]) => Some((3, true)),
        _ => None,
    }
}

/// The first trap: boots the kernel, and returns into a program: the first one here, in copies the one they are made for.
fn boot(context: &mut UserContext) {
    // SAFETY: this is the only host process; its private words are mapped, and the frame is the host's.
    unsafe {
        (*state::private()).frame = Frame::Trapped(context);
        state::learn_extended_state(context.extended_state_layout());
    }
    // Nothing may be left to be dropped behind `go_on`: it returns once in every copy of this process.
    let booted = Kernel::boot(&mut Shell, &start::boot_parameters());
    match booted {
        Ok((kernel, space)) => {
            // SAFETY: nobody else holds a reference to the kernel yet.
            unsafe {
                *state::kernel() = Some(kernel);
                (*state::private()).space = Some(space);
            }
            let pid = host_pid();
            state::control().host_pids[space.index()].store(pid, Ordering::Release);
            state::control().holder.store(pid, Ordering::Release);
            go_on(&raw mut context.registers, None);
        }
        Err(error) => {
            let error = error.0;
            last_words::end_with(
                format_args!("the program cannot be started: {:?} {}", error.errno, error.reason),
                End::NotStarted,
            )
        }
    }
}

fn host_pid() -> i32 {
    // SAFETY: it touches no memory.
    unsafe { gate::call(nr::__NR_getpid, [0; 6]) }.map_or(0, |pid| pid as i32)
}

/// Serves a trap.
pub fn serve(context: &mut UserContext, trap: Trap) {
    steps::stop(context);
    let context: *mut UserContext = context;
    // SAFETY: private words are mapped and this process's own; the frame is the host's.
    let registers = unsafe {
        (*state::private()).frame = Frame::Trapped(context);
        &raw mut (*context).registers
    };
    let is_exception = matches!(trap, Trap::Exception { .. });
    go_on(registers, Some(trap));
    // Only a trap at a known place has the kernel want that.
    if is_exception && let Some(steps) = with_kernel(Kernel::take_wanted_search) {
        // SAFETY: the frame is the host's, still in place.
        steps::begin(unsafe { &mut *context }, steps);
    }
}

/// Serves the call of a patched site.
pub fn serve_patched(frame: *mut PatchedFrame) {
    // SAFETY: private words are mapped and this process's own; the frame is the entry's.
    let registers = unsafe {
        (*state::private()).frame = Frame::Patched(frame);
        &raw mut (*frame).registers
    };
    go_on(registers, Some(Trap::Call(Way::Patched)));
}

/// Lets the kernel go on until the program that trapped, or another thread of its address space, can.
fn go_on(registers: *mut Registers, mut trap: Option<Trap>) {
    loop {
        let here = own_space();
        let next = with_kernel(|kernel| {
            let next = match trap.take() {
                Some(trap) => {
                    let Some(id) = kernel.current() else {
                        unreachable!("whoever traps is current")
                    };
                    // SAFETY: the registers of the entry that is being served, which stay in place until it is.
                    kernel.thread_mut(id).registers = unsafe { registers.read() };
                    kernel.enter(&mut Shell, here, trap)
                }
                None => kernel.run(&mut Shell, here),
            };
            resume(kernel, &next, registers);
            next
        });
        match next {
            Next::Resume => return,
            Next::Switch(to) => {
                token::give(to);
                token::take(own_space());
            }
            Next::Leave(to) => {
                // What it had is the host's again before anybody goes on.
                crate::shell::unmap_all_but_simrun();
                token::give(to);
                gate::exit(0);
            }
            Next::Fork(space) => fork(space),
            Next::End => end(),
        }
    }
}

/// Gives the current thread its registers if it is to go on.
fn resume(kernel: &Kernel, next: &Next, registers: *mut Registers) {
    if !matches!(next, Next::Resume) {
        return;
    }
    let Some(id) = kernel.current() else { unreachable!("the kernel resumes the current thread") };
    // SAFETY: the registers of the entry that is being served, which stay in place until it is.
    unsafe { registers.write(kernel.thread(id).registers) };
}

/// Tells the kernel of the circle that the current thread was found in.
pub fn note_circle(circle: Circle) -> Placed {
    let here = own_space();
    with_kernel(|kernel| kernel.note_circle(&mut Shell, here, circle))
}

/// Shows the places where threads of this process are known to wait.
pub fn with_places<T>(f: impl FnOnce(&BTreeMap<u64, Place>) -> T) -> T {
    let here = own_space();
    with_kernel(|kernel| f(kernel.waiting_places(here).unwrap_or(&BTreeMap::new())))
}

fn own_space() -> SpaceId {
    // SAFETY: private words are mapped and this process's own.
    let space = unsafe { (*state::private()).space };
    space.expect("set at boot and at fork")
}

fn with_kernel<T>(f: impl FnOnce(&mut Kernel) -> T) -> T {
    // SAFETY: this process holds the token, and the reference ends with the closure, which does not trap.
    let Some(kernel) = (unsafe { state::kernel() }) else { unreachable!("the kernel is booted") };
    let result = f(kernel);
    publish(kernel);
    result
}

/// Lets the supervisor see how far the run is.
fn publish(kernel: &Kernel) {
    let control = state::control();
    control.entries.store(kernel.entries(), Ordering::Relaxed);
    control.now_ns.store(kernel.machine.clock.elapsed().as_nanos() as u64, Ordering::Relaxed);
    control.choices.store(kernel.scheduler.choices(), Ordering::Relaxed);
    control.switches.store(kernel.switches(), Ordering::Relaxed);
    control.others.store(u32::from(kernel.has_others()), Ordering::Relaxed);
}

const CLONE_FILES: usize = 0x400;
const CLONE_PARENT: usize = 0x8000;
const SIGCHLD: usize = 17;
const PR_SET_PDEATHSIG: usize = 1;
const SIGKILL: usize = 9;

/// Copies this host process for an address space. The copy waits for the token.
fn fork(space: SpaceId) {
    assert!(
        space.index() < simrun_abi::control::SPACES_MAX,
        "the kernel bounds the number of processes"
    );
    let control = state::control();
    control.tokens[space.index()].store(0, Ordering::Relaxed);
    // Every copy is the supervisor's own child, and all share one descriptor table.
    let flags = CLONE_FILES | CLONE_PARENT | SIGCHLD;
    // SAFETY: as fork(2): the copy has its own memory but for what simrun shares, which it leaves alone until it
    // holds the token.
    match unsafe { gate::call(nr::__NR_clone, [flags, 0, 0, 0, 0, 0]) } {
        Ok(0) => {
            // SAFETY: private words are private.
            unsafe {
                (*state::private()).space = Some(space);
                let _ = gate::call(nr::__NR_prctl, [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0]);
                let parent = gate::call(nr::__NR_getppid, [0; 6]);
                start::allow_others();
                if parent != Ok(control.supervisor.load(Ordering::Relaxed) as usize) {
                    gate::exit(0);
                }
            }
            token::take(space);
        }
        Ok(pid) => control.host_pids[space.index()].store(pid as i32, Ordering::Release),
        Err(errno) => last_words::end_with(
            format_args!("the host makes no more processes: {errno:?}"),
            End::HostExhausted,
        ),
    }
}

/// Tells the supervisor how the run ended, and leaves.
fn end() -> ! {
    let control = state::control();
    with_kernel(|kernel| {
        let (end, status) = kernel.ended().unwrap_or((End::Panic, 0));
        control.fingerprint.store(kernel.machine.events.fingerprint().value(), Ordering::Relaxed);
        control.status.store(status, Ordering::Relaxed);
        control.end.store(end as u32, Ordering::Release);
    });
    supervisor::call();
    gate::exit(0)
}
