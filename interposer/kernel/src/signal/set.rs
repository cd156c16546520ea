//! Signal numbers and sets of them.

use linux_raw_sys::general as raw;

/// A signal, 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(u8);

#[allow(missing_docs, reason = "signal(7) describes each")]
impl Signal {
    pub const ILL: Self = Self(raw::SIGILL as u8);
    pub const TRAP: Self = Self(raw::SIGTRAP as u8);
    pub const ABRT: Self = Self(raw::SIGABRT as u8);
    pub const BUS: Self = Self(raw::SIGBUS as u8);
    pub const FPE: Self = Self(raw::SIGFPE as u8);
    pub const HUP: Self = Self(raw::SIGHUP as u8);
    pub const KILL: Self = Self(raw::SIGKILL as u8);
    pub const SEGV: Self = Self(raw::SIGSEGV as u8);
    pub const PIPE: Self = Self(raw::SIGPIPE as u8);
    pub const USR1: Self = Self(raw::SIGUSR1 as u8);
    pub const ALRM: Self = Self(raw::SIGALRM as u8);
    pub const TERM: Self = Self(raw::SIGTERM as u8);
    pub const CHLD: Self = Self(raw::SIGCHLD as u8);
    pub const CONT: Self = Self(raw::SIGCONT as u8);
    pub const STOP: Self = Self(raw::SIGSTOP as u8);
    pub const TSTP: Self = Self(raw::SIGTSTP as u8);
    pub const TTIN: Self = Self(raw::SIGTTIN as u8);
    pub const TTOU: Self = Self(raw::SIGTTOU as u8);
    pub const URG: Self = Self(raw::SIGURG as u8);
    pub const VTALRM: Self = Self(raw::SIGVTALRM as u8);
    pub const PROF: Self = Self(raw::SIGPROF as u8);
    pub const WINCH: Self = Self(raw::SIGWINCH as u8);
    pub const IO: Self = Self(raw::SIGIO as u8);
    pub const SYS: Self = Self(raw::SIGSYS as u8);
    pub const QUIT: Self = Self(raw::SIGQUIT as u8);
    pub const XCPU: Self = Self(raw::SIGXCPU as u8);
    pub const XFSZ: Self = Self(raw::SIGXFSZ as u8);
}

impl Signal {
    /// The signal with this number.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (1..=64).contains(&number).then_some(Self(number as u8))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// Whether every instance of it is queued.
    #[must_use]
    pub const fn is_real_time(self) -> bool {
        self.0 as u32 >= raw::SIGRTMIN
    }

    /// What happens by default.
    #[must_use]
    pub const fn default_action(self) -> DefaultAction {
        if SignalSet::IGNORED_BY_DEFAULT.contains(self) {
            DefaultAction::Ignore
        } else if SignalSet::STOPS.contains(self) {
            DefaultAction::Stop
        } else if SignalSet::DUMPS_CORE.contains(self) {
            DefaultAction::Core
        } else {
            DefaultAction::Terminate
        }
    }
}

/// What a signal does to a process that has no handler for it (signal(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultAction {
    /// Nothing. (`SIGCONT` continues the process when it is sent.)
    Ignore,
    /// The process stops.
    Stop,
    /// The process ends.
    Terminate,
    /// The process ends with a core dump.
    Core,
}

/// A set of signals as the kernel's `sigset_t`: bit `n - 1` for signal `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(pub u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// All signals.
    pub const ALL: Self = Self(u64::MAX);
    /// What cannot be blocked, handled or ignored.
    pub const UNMASKABLE: Self = Self::of(&[Signal::KILL, Signal::STOP]);
    /// What stops a process by default.
    pub const STOPS: Self = Self::of(&[Signal::STOP, Signal::TSTP, Signal::TTIN, Signal::TTOU]);
    /// Taken before all others, since the frame of any other would hide where they came from
    /// (`SYNCHRONOUS_MASK` in kernel/signal.c).
    pub const SYNCHRONOUS: Self =
        Self::of(&[Signal::SEGV, Signal::BUS, Signal::ILL, Signal::TRAP, Signal::FPE, Signal::SYS]);
    const IGNORED_BY_DEFAULT: Self =
        Self::of(&[Signal::CONT, Signal::CHLD, Signal::WINCH, Signal::URG]);
    const DUMPS_CORE: Self = Self::of(&[
        Signal::QUIT,
        Signal::ILL,
        Signal::TRAP,
        Signal::ABRT,
        Signal::FPE,
        Signal::SEGV,
        Signal::BUS,
        Signal::SYS,
        Signal::XCPU,
        Signal::XFSZ,
    ]);

    /// The set of these signals.
    #[must_use]
    pub const fn of(signals: &[Signal]) -> Self {
        let mut set = Self(0);
        let mut index = 0;
        while index < signals.len() {
            set.insert(signals[index]);
            index += 1;
        }
        set
    }

    /// Whether there is none in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a signal is in it.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 >> (signal.0 - 1) & 1 != 0
    }

    /// Puts a signal in.
    pub const fn insert(&mut self, signal: Signal) {
        self.0 |= 1 << (signal.0 - 1);
    }

    /// Takes a signal out.
    pub const fn remove(&mut self, signal: Signal) {
        self.0 &= !(1 << (signal.0 - 1));
    }

    /// Signals in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Signals in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Signals that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The lowest signal in it.
    #[must_use]
    pub fn first(self) -> Option<Signal> {
        Signal::new(u64::from(self.0.trailing_zeros()) + 1)
    }

    /// The signal to take first: a synchronous one, else the lowest.
    #[must_use]
    pub fn most_urgent(self) -> Option<Signal> {
        self.intersection(Self::SYNCHRONOUS).first().or_else(|| self.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: u64) -> Signal {
        Signal::new(number).expect("a signal")
    }

    #[test]
    fn the_most_urgent_signal_is_synchronous_or_the_lowest() {
        let cases: [(&[u64], Option<u64>); 4] =
            [(&[], None), (&[64, 10], Some(10)), (&[1, 11, 34], Some(11)), (&[64], Some(64))];
        for (numbers, expected) in cases {
            let mut set = SignalSet::EMPTY;
            numbers.iter().for_each(|&number| set.insert(signal(number)));
            assert_eq!(set.most_urgent(), expected.map(signal), "{numbers:?}");
        }
    }

    #[test]
    fn only_1_to_64_are_signals() {
        assert_eq!((Signal::new(0), Signal::new(65)), (None, None));
        assert_eq!(signal(64).default_action(), DefaultAction::Terminate);
        assert_eq!(signal(17).default_action(), DefaultAction::Ignore);
        assert_eq!(signal(19).default_action(), DefaultAction::Stop);
        assert_eq!(signal(6).default_action(), DefaultAction::Core);
    }
}
