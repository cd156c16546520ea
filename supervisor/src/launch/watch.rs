//! Waiting for whatever happens next: the image rings, a process ends, a signal comes, time passes.

use std::{io, os::fd::AsFd, time::Duration};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
};

/// Signals that end a run cleanly.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// What can be waited for.
pub struct Watch {
    bell: EventFd,
    signals: SignalFd,
    mask_before: SigSet,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A signal that ends the run.
    Signal(Signal),
    /// Anything else, or nothing: look.
    Look,
}

impl Watch {
    /// Holds the signals back from here on, so that none is missed.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no handler is installed. Children must not be collected by the host.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
        let mut mask: SigSet = ENDING.into_iter().filter(|&signal| !is_ignored(signal)).collect();
        mask.add(Signal::SIGCHLD);
        let mut mask_before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut mask_before))?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { bell, signals, mask_before })
    }

    /// What the image rings.
    pub fn bell(&self) -> &EventFd {
        &self.bell
    }

    /// Waits, at most so long.
    pub fn wait(&self, at_most: Duration) -> Happened {
        let mut polled = [
            PollFd::new(self.bell.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        // A time-out is rounded up, or the last millisecond would be spent looking again and again.
        let milliseconds =
            i32::try_from(at_most.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
        if poll(&mut polled, timeout) == Err(Errno::EINTR) {
            return Happened::Look;
        }
        // Taken before the caller looks, so that what comes later rings again.
        let _ = self.bell.read();
        while let Ok(Some(info)) = self.signals.read_signal() {
            match Signal::try_from(info.ssi_signo as i32) {
                Ok(Signal::SIGCHLD) | Err(_) => {}
                Ok(signal) => return Happened::Signal(signal),
            }
        }
        Happened::Look
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask_before), None);
    }
}

/// Whether simrun was started with this signal ignored, as nohup(1) and shells without job control do.
fn is_ignored(signal: Signal) -> bool {
    // SAFETY: the structure is plain data, and without a new action sigaction(2) only reports.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as i32, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}
