//! The alternate signal stack (sigaltstack(2)).

use linux_raw_sys::general as raw;

use crate::{
    error::{Errno, Error, Result},
    uapi::signal::RawStack,
};

/// Smallest alternate stack (`MINSIGSTKSZ`).
const SIZE_MIN: u64 = 2048;

/// Where handlers with `SA_ONSTACK` run. Nowhere in particular, until one is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlternateStack {
    base: u64,
    size: u64,
    flags: u32,
}

impl AlternateStack {
    /// None, and it is said so (`sas_ss_reset`): a handler that finds it so leaves it so, whatever it sets meanwhile.
    #[must_use]
    pub const fn disabled() -> Self {
        Self { base: 0, size: 0, flags: raw::SS_DISABLE }
    }

    /// None any more, as a new program finds it (`begin_new_exec`): one that was never disabled is not now. What a handler
    /// sets then stays, since what it found cannot be set again.
    #[must_use]
    pub fn forgotten(self) -> Self {
        Self { base: 0, size: 0, ..self }
    }

    /// Checks what a program asked for.
    ///
    /// # Errors
    /// `EINVAL` for unknown flags, `ENOMEM` for one that is too small.
    pub fn from_raw(stack: &RawStack) -> Result<Self> {
        match stack.flags & !raw::SS_FLAG_BITS {
            raw::SS_DISABLE => Ok(Self { base: 0, size: 0, flags: stack.flags }),
            0 | raw::SS_ONSTACK if stack.size < SIZE_MIN => {
                Err(Error::new(Errno::ENOMEM, "the stack is too small"))
            }
            0 | raw::SS_ONSTACK => {
                Ok(Self { base: stack.base, size: stack.size, flags: stack.flags })
            }
            _ => Err(Errno::EINVAL.into()),
        }
    }

    /// As `sigaltstack` shows it to a thread with this stack pointer.
    #[must_use]
    pub fn describe(&self, pointer: u64) -> RawStack {
        let state = if self.size == 0 {
            raw::SS_DISABLE
        } else if self.is_in_use(pointer) {
            raw::SS_ONSTACK
        } else {
            0
        };
        RawStack {
            base: self.base,
            flags: state | self.flags & raw::SS_FLAG_BITS,
            pad: 0,
            size: self.size,
        }
    }

    /// As a frame saves it.
    #[must_use]
    pub fn to_raw(self) -> RawStack {
        RawStack { base: self.base, flags: self.flags, pad: 0, size: self.size }
    }

    /// Whether this address is within it; the lowest does not count, as in Linux.
    #[must_use]
    pub fn contains(&self, address: u64) -> bool {
        address > self.base && address - self.base <= self.size
    }

    /// Whether a thread with this stack pointer runs on it. One that disarms itself is never in use
    /// (`on_sig_stack` in include/linux/sched/signal.h).
    #[must_use]
    pub fn is_in_use(&self, pointer: u64) -> bool {
        !self.disarms() && self.contains(pointer)
    }

    /// Its upper end, for a handler that enters it; `None` if there is none.
    #[must_use]
    pub fn top(&self) -> Option<u64> {
        (self.size > 0).then(|| self.base.wrapping_add(self.size))
    }

    /// Whether it is forgotten while a handler runs on it (`SS_AUTODISARM`).
    #[must_use]
    pub fn disarms(&self) -> bool {
        self.flags & raw::SS_AUTODISARM != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(flags: u32, size: u64) -> Result<AlternateStack> {
        AlternateStack::from_raw(&RawStack { base: 0x1000, flags, pad: 0, size })
    }

    #[test]
    fn a_stack_is_in_use_while_the_pointer_is_in_it_unless_it_disarms_itself() {
        let plain = stack(0, 0x2000).expect("valid");
        let disarming = stack(raw::SS_AUTODISARM, 0x2000).expect("valid");
        for (pointer, inside) in [(0x1000, false), (0x1001, true), (0x3000, true), (0x3001, false)]
        {
            assert_eq!(plain.is_in_use(pointer), inside, "{pointer:#x}");
            assert!(!disarming.is_in_use(pointer));
        }
        assert_eq!(plain.describe(0x2000).flags, raw::SS_ONSTACK);
        assert_eq!(AlternateStack::default().describe(0).flags, raw::SS_DISABLE);
    }

    #[test]
    fn bad_stacks_are_refused() {
        assert_eq!(stack(0, 2047).map_err(|error| error.errno), Err(Errno::ENOMEM));
        assert_eq!(stack(4, 0x2000).map_err(|error| error.errno), Err(Errno::EINVAL));
        assert_eq!(stack(raw::SS_DISABLE, 1).map(|stack| stack.top()), Ok(None));
    }
}
