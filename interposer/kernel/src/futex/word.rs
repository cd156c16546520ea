//! The word of a lock that threads and kernel share (futex(2), "Priority-inheritance futexes").

use linux_raw_sys::general as raw;

use crate::process::Tid;

/// The word of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockWord(pub u32);

impl LockWord {
    /// Who holds it.
    #[must_use]
    pub const fn owner(self) -> Option<Tid> {
        match self.0 & raw::FUTEX_TID_MASK {
            0 => None,
            tid => Some(Tid::new(tid)),
        }
    }

    /// Whether somebody waits in the kernel.
    #[must_use]
    pub const fn has_waiters(self) -> bool {
        self.0 & raw::FUTEX_WAITERS != 0
    }

    /// Held by this thread; that an owner has died stays noted.
    #[must_use]
    pub const fn held_by(self, tid: Tid) -> Self {
        Self(self.0 & raw::FUTEX_OWNER_DIED | tid.raw())
    }

    /// With waiters in the kernel.
    #[must_use]
    pub const fn with_waiters(self) -> Self {
        Self(self.0 | raw::FUTEX_WAITERS)
    }

    /// What its owner's death makes of it.
    #[must_use]
    pub const fn orphaned(self) -> Self {
        Self(self.0 & raw::FUTEX_WAITERS | raw::FUTEX_OWNER_DIED)
    }
}

/// The operation and comparison of `FUTEX_WAKE_OP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakeOperation {
    operation: u32,
    operand: i32,
    comparison: u32,
    comparand: i32,
}

const fn sign_extend_12(value: u32) -> i32 {
    (value << 20) as i32 >> 20
}

impl WakeOperation {
    /// Decodes; `None` for an operation or comparison that does not exist.
    #[must_use]
    pub fn decode(encoded: u32) -> Option<Self> {
        let operation = encoded >> 28;
        let comparison = encoded >> 24 & 15;
        let mut operand = sign_extend_12(encoded >> 12 & 0xfff);
        if operation & raw::FUTEX_OP_OPARG_SHIFT != 0 {
            operand = 1 << (operand & 31);
        }
        let operation = operation & !raw::FUTEX_OP_OPARG_SHIFT;
        let known = operation <= raw::FUTEX_OP_XOR && comparison <= raw::FUTEX_OP_CMP_GE;
        let comparand = sign_extend_12(encoded & 0xfff);
        known.then_some(Self { operation, operand, comparison, comparand })
    }

    /// The new value of the word, and whether its old one passes the comparison.
    #[must_use]
    pub const fn apply(self, old: u32) -> (u32, bool) {
        let operand = self.operand as u32;
        let new = match self.operation {
            raw::FUTEX_OP_SET => operand,
            raw::FUTEX_OP_ADD => old.wrapping_add(operand),
            raw::FUTEX_OP_OR => old | operand,
            raw::FUTEX_OP_ANDN => old & !operand,
            _ => old ^ operand,
        };
        let (old, with) = (old as i32, self.comparand);
        let passes = match self.comparison {
            raw::FUTEX_OP_CMP_EQ => old == with,
            raw::FUTEX_OP_CMP_NE => old != with,
            raw::FUTEX_OP_CMP_LT => old < with,
            raw::FUTEX_OP_CMP_LE => old <= with,
            raw::FUTEX_OP_CMP_GT => old > with,
            _ => old >= with,
        };
        (new, passes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_operations_compute_as_documented() {
        let encode = |op: u32, arg: u32, cmp: u32, with: u32| {
            op << 28 | cmp << 24 | (arg & 0xfff) << 12 | (with & 0xfff)
        };
        let cases = [
            (encode(0, 7, 0, 5), 5, (7, true)),
            (encode(1, u32::MAX, 1, 5), 5, (4, false)),
            (encode(2, 6, 2, 9), 1, (7, true)),
            (encode(3, 1, 3, 3), 3, (2, true)),
            (encode(4, 3, 4, u32::MAX), 1, (2, true)),
            (encode(8, 31, 5, 0), u32::MAX, (1 << 31, false)),
        ];
        for (encoded, old, result) in cases {
            let operation = WakeOperation::decode(encoded).unwrap();
            assert_eq!(operation.apply(old), result, "{encoded:#x}");
        }
        assert_eq!(WakeOperation::decode(encode(5, 0, 0, 0)), None);
        assert_eq!(WakeOperation::decode(encode(0, 0, 6, 0)), None);
    }
}
