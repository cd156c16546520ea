//! <asm/signal.h>, <asm/siginfo.h>, <asm/ucontext.h> and <asm/sigcontext.h>.

use bytemuck::{Pod, Zeroable};

use crate::arch::x86_64::Registers;

/// Size of the kernel's `sigset_t`.
pub const SIGSET_SIZE: u64 = 8;
/// `SIG_DFL`.
pub const SIG_DFL: u64 = 0;
/// `SIG_IGN`.
pub const SIG_IGN: u64 = 1;

/// Names of the signals that have one, by number (signal(7)).
pub const SIGNAL_NAMES: [(u8, &str); 31] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (16, "SIGSTKFLT"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
    (20, "SIGTSTP"),
    (21, "SIGTTIN"),
    (22, "SIGTTOU"),
    (23, "SIGURG"),
    (24, "SIGXCPU"),
    (25, "SIGXFSZ"),
    (26, "SIGVTALRM"),
    (27, "SIGPROF"),
    (28, "SIGWINCH"),
    (29, "SIGIO"),
    (30, "SIGPWR"),
    (31, "SIGSYS"),
];

/// The name of a signal.
#[must_use]
pub fn signal_name(number: u8) -> &'static str {
    let found = SIGNAL_NAMES.iter().find(|(known, _)| *known == number);
    found.map_or("a real-time signal", |(_, name)| name)
}

/// `struct sigaction` as `rt_sigaction` takes it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RawAction {
    /// `SIG_DFL`, `SIG_IGN` or a handler.
    pub handler: u64,
    /// `SA_*`.
    pub flags: u64,
    /// Where a handler returns to.
    pub restorer: u64,
    /// What is blocked while it runs.
    pub mask: u64,
}

/// `stack_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RawStack {
    /// Lowest address.
    pub base: u64,
    /// `SS_*`.
    pub flags: u32,
    /// Not used.
    pub pad: u32,
    /// Bytes.
    pub size: u64,
}

/// `siginfo_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "sigaction(2) describes each")]
pub struct RawSignalInfo {
    pub signal: i32,
    pub errno: i32,
    pub code: i32,
    pub pad: i32,
    pub fields: [u64; 14],
}

/// `struct sigevent`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RawEvent {
    /// What comes with the signal.
    pub value: u64,
    /// The signal.
    pub signal: i32,
    /// `SIGEV_*`.
    pub notify: i32,
    /// The thread for `SIGEV_THREAD_ID`.
    pub thread: i32,
    /// Not used here.
    pub pad: [i32; 11],
}

/// `struct ucontext` with `struct sigcontext_64` in it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "the header's own names")]
pub struct UserContext {
    pub flags: u64,
    pub link: u64,
    pub stack: RawStack,
    pub registers: Registers,
    /// cs, gs, fs, ss.
    pub segments: [u16; 4],
    pub error_code: u64,
    pub trap_number: u64,
    pub old_mask: u64,
    pub fault_address: u64,
    /// Address of the extended state.
    pub extended_state: u64,
    pub reserved: [u64; 8],
    pub mask: u64,
}

/// `struct rt_sigframe`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SignalFrame {
    /// Return address of the handler: the restorer.
    pub restorer: u64,
    /// What `rt_sigreturn` restores.
    pub context: UserContext,
    /// What the handler gets.
    pub info: RawSignalInfo,
}

/// `uc_flags`: the extended state is that of `xsave` (`UC_FP_XSTATE`), `ss` is saved and will be restored as it is
/// (`UC_SIGCONTEXT_SS`, `UC_STRICT_RESTORE_SS`).
pub const CONTEXT_FLAGS: u64 = 7;
/// `__USER_CS`.
pub const USER_CS: u16 = 0x33;
/// `__USER_DS`.
pub const USER_SS: u16 = 0x2b;
