//! What comes with a signal.

use linux_raw_sys::general as raw;

use super::Signal;
use crate::{
    process::{Pid, Process},
    uapi::signal::RawSignalInfo,
};

/// What comes with a signal: the parts of `siginfo_t` (sigaction(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalInfo {
    /// The signal.
    pub signal: Signal,
    /// `si_code`.
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// The words after the header, as they lie in `siginfo_t` from offset 16.
    pub fields: [u64; 3],
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// `si_code` and `si_status` of an end with this wait status (`do_notify_parent` in kernel/signal.c).
#[must_use]
pub const fn end_code(status: u32) -> (u32, u32) {
    match (status & 0x7f, status & 0x80) {
        (0, _) => (raw::CLD_EXITED, status >> 8 & 0xff),
        (signal, 0) => (raw::CLD_KILLED, signal),
        (signal, _) => (raw::CLD_DUMPED, signal),
    }
}

impl SignalInfo {
    /// The number of the timer that has sent it and waits until it is taken; `None` of what only says that it came from one.
    #[must_use]
    pub fn timer(&self) -> Option<u32> {
        (self.code == raw::SI_TIMER && self.fields[2] != 0).then_some(self.fields[0] as u32)
    }

    /// Sent by a process, with this code (`SI_USER`, `SI_TKILL`).
    #[must_use]
    pub fn from_process(signal: Signal, code: i32, pid: Pid, uid: u32) -> Self {
        Self { signal, code, errno: 0, fields: [pair(pid.raw(), uid), 0, 0] }
    }

    /// Sent by the kernel for no particular reason.
    #[must_use]
    pub fn from_kernel(signal: Signal) -> Self {
        Self { signal, code: raw::SI_KERNEL as i32, errno: 0, fields: [0; 3] }
    }

    /// An exception of the processor at an address.
    #[must_use]
    pub fn exception(signal: Signal, code: i32, address: u64) -> Self {
        Self { signal, code, errno: 0, fields: [address, 0, 0] }
    }

    /// What a parent gets when a child has ended.
    #[must_use]
    pub fn child_exited(signal: Signal, child: &Process) -> Self {
        let status = match child.state {
            crate::process::ProcessState::Zombie(status) => status,
            crate::process::ProcessState::Alive => 0,
        };
        let (code, status) = end_code(status);
        Self::child(signal, code, child, status)
    }

    /// What a parent gets when a child has changed in this way (`CLD_*`), with this status.
    #[must_use]
    pub fn child(signal: Signal, code: u32, child: &Process, status: u32) -> Self {
        let sender = pair(child.pid.raw(), child.credentials.uid);
        let ticks = (child.dead_threads_time.as_millis() / 10) as u64;
        Self { signal, code: code as i32, errno: 0, fields: [sender, u64::from(status), ticks] }
    }

    /// What is known of a signal whose instance could not be queued.
    #[must_use]
    pub fn unknown(signal: Signal) -> Self {
        Self { signal, code: raw::SI_USER as i32, errno: 0, fields: [0; 3] }
    }

    /// As it lies in a program's memory.
    #[must_use]
    pub fn to_raw(self) -> RawSignalInfo {
        let mut info = RawSignalInfo {
            signal: self.signal.number() as i32,
            errno: self.errno,
            code: self.code,
            ..RawSignalInfo::default()
        };
        info.fields[..3].copy_from_slice(&self.fields);
        info
    }

    /// What a program sent by `rt_sigqueueinfo`.
    #[must_use]
    pub fn from_raw(signal: Signal, info: &RawSignalInfo) -> Self {
        let [a, b, mut c, ..] = info.fields;
        if info.code == raw::SI_TIMER {
            // Only those of real timers name one here.
            c = 0;
        }
        Self { signal, code: info.code, errno: info.errno, fields: [a, b, c] }
    }
}
