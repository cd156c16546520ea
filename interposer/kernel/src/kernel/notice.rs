//! Telling the owners of descriptions by signals (`send_sigio` in fs/fcntl.c).

use alloc::vec::Vec;

use linux_raw_sys::general as raw;

use super::Kernel;
use crate::{
    host::Host,
    machine::SignalTarget,
    process::{ProcessId, Tid},
    signal::{Signal, SignalInfo},
    wait::{Notice, Owner, OwnerKind, Readiness, Reason},
};

impl Kernel {
    /// Sends the signal of a notice to all whom it concerns.
    pub(super) fn send_notice(&mut self, host: &mut dyn Host, notice: &Notice) {
        for (process, target) in self.told(notice.owner) {
            if !self.may_tell(notice.owner, process) {
                continue;
            }
            match notice.reason {
                Reason::Urgent => {
                    self.send_signal(host, target, SignalInfo::from_kernel(Signal::URG));
                }
                reason => self.send_readiness(host, target, notice, reason),
            }
        }
    }

    /// A signal of the owner's choice says what happened; where there is no room for it, or no choice, SIGIO says that
    /// something did.
    fn send_readiness(
        &mut self,
        host: &mut dyn Host,
        target: SignalTarget,
        notice: &Notice,
        reason: Reason,
    ) {
        if let Some(signal) = Signal::new(notice.owner.signal.into()) {
            let code = if signal != Signal::IO && has_codes_of_its_own(signal) {
                raw::SI_SIGIO
            } else {
                reason as i32
            };
            let fields = [u64::from(band(reason).bits()), notice.fd.into(), 0];
            let info = SignalInfo { signal, code, errno: 0, fields };
            if self.queue_signal(target, info).is_ok() {
                return;
            }
        }
        self.send_signal(host, target, SignalInfo::from_kernel(Signal::IO));
    }

    fn told(&self, owner: Owner) -> Vec<(ProcessId, SignalTarget)> {
        let number = Tid::new(owner.id.unsigned_abs());
        match owner.kind {
            OwnerKind::Thread => {
                let thread = self.tids.get(&number).copied();
                let place = |id| (self.thread(id).process, SignalTarget::Thread(id));
                thread.map(place).into_iter().collect()
            }
            OwnerKind::Process => {
                let process = self.process_numbered(number);
                process.map(|id| (id, SignalTarget::Process(id))).into_iter().collect()
            }
            OwnerKind::Group => self
                .group_members(number)
                .into_iter()
                .map(|id| (id, SignalTarget::Process(id)))
                .collect(),
        }
    }

    /// `sigio_perm`.
    fn may_tell(&self, owner: Owner, process: ProcessId) -> bool {
        let to = &self.process(process).credentials;
        let (real, effective) = owner.users;
        effective == 0 || [real, effective].iter().any(|&user| user == to.suid || user == to.uid)
    }
}

/// Whether a signal's `si_code` means something else (`SIG_SPECIFIC_SICODES_MASK`).
fn has_codes_of_its_own(signal: Signal) -> bool {
    let own = [
        raw::SIGILL,
        raw::SIGFPE,
        raw::SIGSEGV,
        raw::SIGBUS,
        raw::SIGTRAP,
        raw::SIGCHLD,
        raw::SIGSYS,
    ];
    own.contains(&signal.number())
}

/// What `si_band` says (`band_table` in kernel/signal.c).
fn band(reason: Reason) -> Readiness {
    match reason {
        Reason::In => Readiness::READABLE,
        Reason::Out => Readiness::WRITABLE | Readiness::WRBAND,
        Reason::Error => Readiness::ERR,
        Reason::Priority | Reason::Urgent => Readiness::PRI | Readiness::RDBAND,
        Reason::HangUp => Readiness::HUP | Readiness::ERR,
    }
}
