//! The instructions, before and after patching.
//!
//! Each is `[66|f3] [REX] 0f c7 modrm`. Patching makes `0f c7` an `0f 0b` (`ud2`): the processor refuses it, and what
//! it was still stands around it.

use crate::{
    arch::x86_64::Registers,
    error::{Errno, Result},
    host::Host,
    user,
};

/// Second byte of the opcode.
pub const OPCODE: [u8; 2] = [0x0f, 0xc7];
/// What the second byte becomes.
pub const PATCHED_SECOND: u8 = 0x0b;
/// Longest of the instructions in bytes.
const LEN_MAX: usize = 5;

const OPERAND_SIZE_PREFIX: u8 = 0x66;
const REPEAT_PREFIX: u8 = 0xf3;
/// CF: the number is a good one.
const CARRY: u64 = 1;
/// CF, PF, AF, ZF, SF, OF: `rdrand` clears all but the first.
const STATUS_FLAGS: u64 = 0x8d5;

/// What an instruction gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    /// A random number (`rdrand`, `rdseed`).
    Random,
    /// The number of the processor (`rdpid`).
    Processor,
}

/// Width of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Word,
    Double,
    Quad,
}

/// A patched instruction that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trapping {
    gives: Gives,
    width: Width,
    register: u8,
    len: u64,
}

impl Trapping {
    /// The patched instruction at an address.
    ///
    /// # Errors
    /// `EFAULT` if nothing is mapped there, `EINVAL` if it is another.
    pub fn read(host: &mut dyn Host, address: u64) -> Result<Self> {
        let mut bytes = [0; LEN_MAX];
        // The last page of a mapping may end before the longest would.
        let len = (3..=LEN_MAX)
            .rev()
            .find(|&len| user::read_bytes(host, address, &mut bytes[..len]).is_ok())
            .ok_or(Errno::EFAULT)?;
        Self::decode(&bytes[..len]).ok_or(Errno::EINVAL.into())
    }

    /// Whether an instruction at an address is one of these, not yet patched, with the second byte of its opcode so many
    /// bytes on. What was found in a file must still be so before it is changed.
    #[must_use]
    pub fn stands_at(host: &mut dyn Host, address: u64, second: u64) -> bool {
        let mut bytes = [0; LEN_MAX];
        let Some(bytes) = bytes.get_mut(..second as usize + 2) else { return false };
        if second == 0 || user::read_bytes(host, address, bytes).is_err() {
            return false;
        }
        let at = second as usize;
        let is_opcode = bytes[at - 1..=at] == OPCODE;
        bytes[at] = PATCHED_SECOND;
        is_opcode && Self::decode(bytes).is_some_and(|found| found.len == bytes.len() as u64)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let prefix = bytes.first().filter(|&&b| b == OPERAND_SIZE_PREFIX || b == REPEAT_PREFIX);
        let rest = &bytes[usize::from(prefix.is_some())..];
        let rex = rest.first().filter(|&&b| b & 0xf0 == 0x40);
        let rest = &rest[usize::from(rex.is_some())..];
        let [0x0f, PATCHED_SECOND, modrm @ 0xf0..=0xff, ..] = *rest else { return None };
        let rex = rex.copied().unwrap_or(0);
        let gives = match prefix {
            Some(&REPEAT_PREFIX) if modrm & 0x38 == 0x38 => Gives::Processor,
            Some(&REPEAT_PREFIX) => return None,
            _ => Gives::Random,
        };
        let width = match (gives, rex & 8 != 0, prefix) {
            (Gives::Processor, ..) | (_, true, _) => Width::Quad,
            (_, false, Some(_)) => Width::Word,
            (_, false, None) => Width::Double,
        };
        let len = (bytes.len() - rest.len() + 3) as u64;
        Some(Self { gives, width, register: modrm & 7 | (rex & 1) << 3, len })
    }

    /// Does it, with a number from `draw`.
    pub fn execute(self, registers: &mut Registers, draw: impl FnOnce() -> u64) {
        let value = match self.gives {
            Gives::Random => {
                registers.eflags = registers.eflags & !STATUS_FLAGS | CARRY;
                draw()
            }
            Gives::Processor => 0,
        };
        let place = registers.numbered(self.register);
        *place = match self.width {
            Width::Word => *place & !0xffff | value & 0xffff,
            Width::Double => value & 0xffff_ffff,
            Width::Quad => value,
        };
        registers.rip += self.len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &[u8]) -> Option<Registers> {
        let mut registers = Registers { eflags: 0xad7, rip: 100, ..Registers::default() };
        for register in 0..16 {
            *registers.numbered(register) = u64::MAX;
        }
        Trapping::decode(code)?.execute(&mut registers, || 0x1122_3344_5566_7788);
        Some(registers)
    }

    #[test]
    fn every_form_sets_its_register_flags_and_rip() {
        type Case = (&'static [u8], u8, u64, u64, u64);
        let cases: [Case; 6] = [
            (&[0x0f, 0x0b, 0xf0, 0x90, 0x90], 0, 0x5566_7788, 103, 0x203),
            (&[0x48, 0x0f, 0x0b, 0xf2], 2, 0x1122_3344_5566_7788, 104, 0x203),
            (&[0x66, 0x0f, 0x0b, 0xfb], 3, 0xffff_ffff_ffff_7788, 104, 0x203),
            (&[0x49, 0x0f, 0x0b, 0xff], 15, 0x1122_3344_5566_7788, 104, 0x203),
            (&[0x66, 0x41, 0x0f, 0x0b, 0xf4], 12, 0xffff_ffff_ffff_7788, 105, 0x203),
            (&[0xf3, 0x0f, 0x0b, 0xf9], 1, 0, 104, 0xad7),
        ];
        for (code, register, value, rip, flags) in cases {
            let mut registers = run(code).expect("it is one of them");
            assert_eq!(*registers.numbered(register), value, "{code:x?}");
            assert_eq!(
                (registers.rip, registers.eflags & 0x8d7),
                (rip, flags & 0x8d7),
                "{code:x?}"
            );
        }
    }

    #[test]
    fn other_invalid_instructions_are_left_alone() {
        for code in
            [&[0x0f, 0x0b, 0x90][..], &[0x0f, 0xc7, 0xf0], &[0x90, 0x0f, 0x0b, 0xf0], &[0x0f, 0x0b]]
        {
            assert_eq!(run(code), None, "{code:x?}");
        }
    }
}
