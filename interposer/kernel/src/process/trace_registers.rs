//! Registers as tracers see them.

use bytemuck::{Pod, Zeroable};

use super::{Stop, Thread};
use crate::{
    arch::x86_64::TRAP_FLAG,
    error::Errno,
    outcome::Restart,
    uapi::signal::{USER_CS, USER_SS},
};

/// `struct user_regs_struct` (<sys/user.h>).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "they are the processor's")]
pub struct UserRegisters {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    /// The call that the thread is in or comes from; -1 if there is none.
    pub orig_rax: u64,
    pub rip: u64,
    pub cs: u64,
    pub eflags: u64,
    pub rsp: u64,
    pub ss: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub ds: u64,
    pub es: u64,
    pub fs: u64,
    pub gs: u64,
}

/// No call.
const NO_CALL: u64 = u64::MAX;
/// Flags that a tracer may set (`FLAG_MASK`, arch/x86/kernel/ptrace.c).
const FLAGS: u64 = 0x5_4dd5;

/// What a call that a stop has interrupted shows as its result, so that it starts again (include/linux/errno.h).
fn shown_restart(restart: Option<Restart>) -> u64 {
    let errno: i64 = match restart {
        None | Some(Restart::IfAsked | Restart::OnlyFatal) => 512,
        Some(Restart::Always) => 513,
        Some(Restart::UnlessHandled | Restart::Never) => 514,
    };
    (-errno) as u64
}

/// Whether a thread has stopped for the beginning of its call.
fn is_at_entry(thread: &Thread) -> bool {
    thread.trace.as_ref().is_some_and(|trace| trace.stop == Some(Stop::CallEntry))
}

impl UserRegisters {
    /// Those of a thread that has stopped.
    #[must_use]
    pub fn of(thread: &Thread) -> Self {
        let own = &thread.registers;
        let in_call = thread.trace.as_ref().and_then(|trace| trace.in_call);
        let (orig_rax, rax) = match (&thread.call, in_call) {
            (Some(call), _) if is_at_entry(thread) => (call.number, Errno::ENOSYS.as_result()),
            (Some(call), _) => (call.number, shown_restart(call.restart)),
            (None, Some(number)) => (number, own.rax),
            (None, None) => (NO_CALL, own.rax),
        };
        Self {
            r15: own.r15,
            r14: own.r14,
            r13: own.r13,
            r12: own.r12,
            rbp: own.rbp,
            rbx: own.rbx,
            r11: own.r11,
            r10: own.r10,
            r9: own.r9,
            r8: own.r8,
            rax,
            rcx: own.rcx,
            rdx: own.rdx,
            rsi: own.rsi,
            rdi: own.rdi,
            orig_rax,
            rip: own.rip,
            cs: USER_CS.into(),
            eflags: own.eflags & !TRAP_FLAG,
            rsp: own.rsp,
            ss: USER_SS.into(),
            fs_base: thread.fs_base,
            gs_base: thread.gs_base,
            ..Self::default()
        }
    }

    /// Gives them to a thread that has stopped. A call that it is in becomes another, or is given up where the tracer
    /// wants none; whether it is given up.
    pub fn set(&self, thread: &mut Thread) -> bool {
        let (before, is_entry) = (Self::of(thread), is_at_entry(thread));
        let own = &mut thread.registers;
        (own.r15, own.r14, own.r13, own.r12) = (self.r15, self.r14, self.r13, self.r12);
        (own.rbp, own.rbx, own.r11, own.r10) = (self.rbp, self.rbx, self.r11, self.r10);
        (own.r9, own.r8, own.rcx, own.rdx) = (self.r9, self.r8, self.rcx, self.rdx);
        (own.rsi, own.rdi, own.rip, own.rsp) = (self.rsi, self.rdi, self.rip, self.rsp);
        own.eflags = own.eflags & !FLAGS | self.eflags & FLAGS;
        (thread.fs_base, thread.gs_base) = (self.fs_base, self.gs_base);
        let Some(call) = &mut thread.call else {
            own.rax = self.rax;
            return false;
        };
        let is_kept = self.orig_rax as i32 != -1
            && (is_entry || self.rip == before.rip && self.rax == before.rax);
        if is_kept && is_entry {
            call.number = self.orig_rax;
            call.arguments = thread.registers.call_arguments();
            if let Some(trace) = &mut thread.trace {
                trace.in_call = Some(self.orig_rax);
            }
        } else if !is_kept {
            thread.registers.rax = self.rax;
        }
        !is_kept
    }
}
