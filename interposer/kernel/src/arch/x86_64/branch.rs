//! Near jumps, conditional or not: read from code, and taken without the processor.

/// A jump by a distance that stands in its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Condition code as it is encoded; `None` if it always jumps.
    condition: Option<u8>,
    /// Length in bytes.
    len: u8,
    /// Distance from the end of the jump.
    distance: i32,
}

const CARRY: u64 = 1;
const PARITY: u64 = 1 << 2;
const ZERO: u64 = 1 << 6;
const SIGN: u64 = 1 << 7;
const OVERFLOW: u64 = 1 << 11;

impl Branch {
    /// Longest of them in bytes.
    pub const LEN_MAX: usize = 6;

    /// The jump at the start of some code, if it is one without prefixes.
    #[must_use]
    pub fn decode(code: &[u8]) -> Option<Self> {
        let near = |at: usize| Some(i32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?));
        let (condition, len, distance) = match *code {
            [0xeb, distance, ..] => (None, 2, i32::from(distance as i8)),
            [0xe9, ..] => (None, 5, near(1)?),
            [opcode @ 0x70..=0x7f, distance, ..] => {
                (Some(opcode & 15), 2, i32::from(distance as i8))
            }
            [0x0f, opcode @ 0x80..=0x8f, ..] => (Some(opcode & 15), 6, near(2)?),
            _ => return None,
        };
        Some(Self { condition, len, distance })
    }

    /// Where it leads from an address if it jumps.
    #[must_use]
    pub fn target(self, address: u64) -> u64 {
        (address + u64::from(self.len)).wrapping_add_signed(i64::from(self.distance))
    }

    /// Where a program goes on from it, with these flags.
    #[must_use]
    pub fn next(self, address: u64, flags: u64) -> u64 {
        let jumps = self.condition.is_none_or(|condition| holds(condition, flags));
        if jumps { self.target(address) } else { address + u64::from(self.len) }
    }
}

/// Whether a condition holds (Intel SDM, volume 1, appendix B).
fn holds(condition: u8, flags: u64) -> bool {
    let set = |flag| flags & flag != 0;
    let less = set(SIGN) != set(OVERFLOW);
    let base = match condition >> 1 {
        0 => set(OVERFLOW),
        1 => set(CARRY),
        2 => set(ZERO),
        3 => set(CARRY) || set(ZERO),
        4 => set(SIGN),
        5 => set(PARITY),
        6 => less,
        _ => less || set(ZERO),
    };
    base != (condition & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_lead_where_the_processor_goes() {
        let cases: [(&[u8], u64, u64); 9] = [
            (&[0xeb, 0xfe], 0, 100),
            (&[0xe9, 0xfb, 0xff, 0xff, 0xff], 0, 100),
            (&[0x74, 0xf0], ZERO, 86),
            (&[0x74, 0xf0], 0, 102),
            (&[0x75, 0x10], 0, 118),
            (&[0x7c, 0xf0], SIGN, 86),
            (&[0x7c, 0xf0], SIGN | OVERFLOW, 102),
            (&[0x7f, 0xf0], OVERFLOW | SIGN, 86),
            (&[0x0f, 0x86, 0xf0, 0xff, 0xff, 0xff], CARRY, 90),
        ];
        for (code, flags, next) in cases {
            let branch = Branch::decode(code).expect("it is a jump");
            assert_eq!(branch.next(100, flags), next, "{code:x?} {flags:#x}");
        }
    }

    #[test]
    fn other_instructions_are_no_jumps() {
        for code in [&[0xe8, 0, 0, 0, 0][..], &[0x0f, 0x0b], &[0xe9, 0], &[0x3e, 0x74, 0], &[]] {
            assert_eq!(Branch::decode(code), None, "{code:x?}");
        }
    }
}
