//! What a process does with each signal.

use super::{DefaultAction, Signal, SignalSet};
use crate::uapi::signal::{RawAction, SIG_DFL, SIG_IGN};
use linux_raw_sys::general as raw;

bitflags::bitflags! {
    /// sigaction(2)'s flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct ActionFlags: u32 {
        /// No signal when children stop or continue.
        const NO_CHILD_STOP = raw::SA_NOCLDSTOP;
        /// Children that end leave no zombies.
        const NO_CHILD_WAIT = raw::SA_NOCLDWAIT;
        /// The handler takes three arguments; on x86-64 it always gets them.
        const INFO = raw::SA_SIGINFO;
        /// The handler runs on the alternate stack.
        const ON_STACK = raw::SA_ONSTACK;
        /// Interrupted calls start again.
        const RESTART = raw::SA_RESTART;
        /// The signal itself is not blocked while its handler runs.
        const NO_DEFER = raw::SA_NODEFER;
        /// The handler is used once.
        const RESET_HANDLER = raw::SA_RESETHAND;
        /// There is a restorer.
        const RESTORER = raw::SA_RESTORER;
        /// Show tag bits of addresses; there are none on x86-64.
        const EXPOSE_TAG_BITS = raw::SA_EXPOSE_TAGBITS;
    }
}

/// What a process does with one signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// `SIG_DFL`, `SIG_IGN` or the address of a handler.
    pub handler: u64,
    /// How it is called.
    pub flags: ActionFlags,
    /// Where it returns to.
    pub restorer: u64,
    /// What is blocked while it runs.
    pub mask: SignalSet,
}

impl Action {
    /// What a program asked for. Unknown flags are dropped, so that programs can probe for them (`SA_UNSUPPORTED`).
    #[must_use]
    pub fn from_raw(action: &RawAction) -> Self {
        Self {
            handler: action.handler,
            flags: ActionFlags::from_bits_truncate(action.flags as u32),
            restorer: action.restorer,
            mask: SignalSet(action.mask).without(SignalSet::UNMASKABLE),
        }
    }

    /// As a program reads it back.
    #[must_use]
    pub fn to_raw(self) -> RawAction {
        RawAction {
            handler: self.handler,
            flags: u64::from(self.flags.bits()),
            restorer: self.restorer,
            mask: self.mask.0,
        }
    }
}

/// What becomes of a signal that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing.
    Ignore,
    /// The process stops.
    Stop,
    /// The process ends, with or without a core dump.
    End(DefaultAction),
    /// A handler runs.
    Handle(Action),
}

/// What a process does with each signal.
#[derive(Clone, Debug)]
pub struct Actions {
    actions: [Action; 64],
}

impl Default for Actions {
    fn default() -> Self {
        Self { actions: [Action::default(); 64] }
    }
}

impl Actions {
    /// What is done with a signal.
    #[must_use]
    pub fn get(&self, signal: Signal) -> &Action {
        &self.actions[signal.number() as usize - 1]
    }

    /// Changes what is done with a signal; what was done before.
    pub fn set(&mut self, signal: Signal, action: Action) -> Action {
        core::mem::replace(&mut self.actions[signal.number() as usize - 1], action)
    }

    /// What becomes of a signal.
    #[must_use]
    pub fn disposition(&self, signal: Signal) -> Disposition {
        let action = self.get(signal);
        match action.handler {
            SIG_IGN => Disposition::Ignore,
            SIG_DFL => match signal.default_action() {
                DefaultAction::Ignore => Disposition::Ignore,
                DefaultAction::Stop => Disposition::Stop,
                end => Disposition::End(end),
            },
            _ => Disposition::Handle(*action),
        }
    }

    /// The actions that run a handler.
    pub fn handlers(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| !matches!(action.handler, SIG_DFL | SIG_IGN))
    }

    /// Whether children that end leave no zombies.
    #[must_use]
    pub fn reaps_children(&self) -> bool {
        let action = self.get(Signal::CHLD);
        action.handler == SIG_IGN || action.flags.contains(ActionFlags::NO_CHILD_WAIT)
    }

    /// The signals that are ignored on purpose, and those that have handlers.
    #[must_use]
    pub fn ignored_and_handled(&self) -> (SignalSet, SignalSet) {
        let (mut ignored, mut handled) = (SignalSet::EMPTY, SignalSet::EMPTY);
        for (number, action) in (1..).zip(&self.actions) {
            match (Signal::new(number), action.handler) {
                (Some(signal), SIG_IGN) => ignored.insert(signal),
                (Some(signal), handler) if handler != SIG_DFL => handled.insert(signal),
                _ => {}
            }
        }
        (ignored, handled)
    }

    /// What a new program starts with: nothing is handled, what was ignored still is (execve(2)).
    #[must_use]
    pub fn after_exec(&self) -> Self {
        let mut after = Self::default();
        for (new, old) in after.actions.iter_mut().zip(&self.actions) {
            if old.handler == SIG_IGN {
                new.handler = SIG_IGN;
            }
        }
        after
    }
}
