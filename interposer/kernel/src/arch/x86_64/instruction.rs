//! Instructions, as far as it matters where they end (Intel SDM, volume 2, appendix A).
//!
//! A disassembler knows all about all of them, from tables that take longer to set up than a program to start. This one
//! knows the instructions that compilers put between a system call and the end of its function, and says so where it
//! does not.

/// Longest instruction in bytes.
const LEN_MAX: usize = 15;
/// `int3`.
pub const INT3: u8 = 0xcc;

/// What an instruction does to those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ret` or `jmp`: what follows is not gone on with.
    Ends,
    /// `nop` in any length.
    Nop,
    /// `int3`.
    Break,
    /// Anything else.
    Other,
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Length in bytes.
    pub len: usize,
    /// What it does to those after it.
    pub kind: Kind,
}

/// What comes after an opcode.
#[derive(Clone, Copy)]
struct Operands {
    /// A register or memory operand, by a ModRM byte and what belongs to that.
    modrm: bool,
    immediate: Immediate,
}

#[derive(Clone, Copy)]
enum Immediate {
    None,
    Byte,
    Word,
    /// As wide as the operands, but never eight bytes.
    Full,
    /// Eight bytes if the operands are so wide.
    Wide,
    /// A distance, of four bytes whatever the operands.
    Distance,
}

const PLAIN: Operands = Operands { modrm: false, immediate: Immediate::None };
const MODRM: Operands = Operands { modrm: true, immediate: Immediate::None };

const fn with(operands: Operands, immediate: Immediate) -> Operands {
    Operands { immediate, ..operands }
}

/// Prefixes that stand before an opcode.
#[derive(Clone, Copy, Default)]
struct Prefixes {
    len: usize,
    operand_size: bool,
    /// `f3`, which makes some opcodes another instruction.
    repeat: bool,
    rex: u8,
}

const REX_W: u8 = 8;
const REX_B: u8 = 1;

impl Prefixes {
    fn read(code: &[u8]) -> Self {
        let mut prefixes = Self::default();
        for &byte in code {
            match byte {
                0x66 => prefixes.operand_size = true,
                // Of several the last counts.
                0xf2 | 0xf3 => prefixes.repeat = byte == 0xf3,
                0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 | 0x67 | 0xf0 => {}
                // The last of them; one before another prefix is an opcode to what follows, and unknown.
                0x40..=0x4f => {
                    prefixes.rex = byte;
                    prefixes.len += 1;
                    break;
                }
                _ => break,
            }
            prefixes.len += 1;
        }
        prefixes
    }
}

impl Instruction {
    /// The instruction at the start of some code; `None` for one that is not known, or cut off.
    #[must_use]
    pub fn decode(code: &[u8]) -> Option<Self> {
        let prefixes = Prefixes::read(code);
        let rest = &code[prefixes.len..];
        let (operands, opcode_len) = match *rest {
            [0x0f, 0x38, _, ..] => (MODRM, 3),
            [0x0f, 0x3a, _, ..] => (with(MODRM, Immediate::Byte), 3),
            [0x0f, opcode, ..] => (two_bytes(opcode, prefixes)?, 2),
            [opcode, ..] => (one_byte(opcode)?, 1),
            [] => return None,
        };
        let rest_of_it = &rest[opcode_len..];
        let group = rest_of_it.first().map_or(0, |modrm| modrm >> 3 & 7);
        let operands = in_group(rest, operands, group)?;
        let memory = if operands.modrm { memory_len(rest_of_it)? } else { 0 };
        let immediate = immediate_len(operands.immediate, prefixes)?;
        let len = prefixes.len + opcode_len + memory + immediate;
        let kind = match *rest {
            [0xc2 | 0xc3 | 0xe9 | 0xeb, ..] => Kind::Ends,
            [0xff, ..] if matches!(group, 4 | 5) => Kind::Ends,
            [0x90, ..] if !prefixes.repeat && prefixes.rex & REX_B == 0 => Kind::Nop,
            [0x0f, 0x1f, ..] if group == 0 => Kind::Nop,
            [INT3, ..] => Kind::Break,
            _ => Kind::Other,
        };
        (len <= code.len().min(LEN_MAX)).then_some(Self { len, kind })
    }
}

fn one_byte(opcode: u8) -> Option<Operands> {
    Some(match opcode {
        0x00..=0x3f => match opcode & 7 {
            0..=3 => MODRM,
            4 => with(PLAIN, Immediate::Byte),
            5 => with(PLAIN, Immediate::Full),
            _ => return None,
        },
        0x50..=0x5f | 0x6c..=0x6f | 0x90..=0x99 | 0x9b..=0x9f => PLAIN,
        0xa4..=0xa7 | 0xaa..=0xaf | 0xc3 | 0xc9 | 0xcb | INT3 | 0xcf => PLAIN,
        0xd7 | 0xec..=0xef | 0xf1 | 0xf4 | 0xf5 | 0xf8..=0xfd => PLAIN,
        0x63 | 0x84..=0x8f | 0xd0..=0xd3 | 0xf6 | 0xf7 | 0xfe | 0xff => MODRM,
        0x68 | 0xa9 => with(PLAIN, Immediate::Full),
        0x6a | 0x70..=0x7f | 0xa8 | 0xb0..=0xb7 | 0xcd => with(PLAIN, Immediate::Byte),
        0xe0..=0xe7 | 0xeb => with(PLAIN, Immediate::Byte),
        0x69 | 0x81 | 0xc7 => with(MODRM, Immediate::Full),
        0x6b | 0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6 => with(MODRM, Immediate::Byte),
        0xb8..=0xbf => with(PLAIN, Immediate::Wide),
        0xc2 | 0xca => with(PLAIN, Immediate::Word),
        0xe8 | 0xe9 => with(PLAIN, Immediate::Distance),
        // Prefixes out of place, the x87's, VEX and EVEX, far addresses, `enter`, and what does not exist.
        _ => return None,
    })
}

fn two_bytes(opcode: u8, prefixes: Prefixes) -> Option<Operands> {
    Some(match opcode {
        0x05 | 0x0b | 0x30..=0x35 | 0x77 | 0xa0..=0xa2 | 0xa8..=0xaa | 0xc8..=0xcf => PLAIN,
        0x00..=0x03 | 0x0d | 0x10..=0x1f | 0x28..=0x2f | 0x40..=0x6f => MODRM,
        0x74..=0x76 | 0x7c..=0x7f | 0x90..=0x9f | 0xa3 | 0xa5 | 0xab | 0xad..=0xb7 => MODRM,
        0xb8 if prefixes.repeat => MODRM,
        0xbb..=0xc1 | 0xc3 | 0xc7 | 0xd0..=0xfe => MODRM,
        0x70..=0x73 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4..=0xc6 => with(MODRM, Immediate::Byte),
        0x80..=0x8f => with(PLAIN, Immediate::Distance),
        _ => return None,
    })
}

/// Opcodes that are several instructions, by a field of the ModRM byte.
fn in_group(code: &[u8], operands: Operands, group: u8) -> Option<Operands> {
    match (code[0], group) {
        (0x8f | 0xc6 | 0xc7, 1..) | (0xfe, 2..) | (0xff, 7) => None,
        (0xf6, 0 | 1) => Some(with(operands, Immediate::Byte)),
        (0xf7, 0 | 1) => Some(with(operands, Immediate::Full)),
        _ => Some(operands),
    }
}

/// Length of a ModRM byte with what belongs to it.
fn memory_len(code: &[u8]) -> Option<usize> {
    const SCALED: u8 = 4;
    const NO_BASE: u8 = 5;
    let (&modrm, rest) = code.split_first()?;
    let (mode, register) = (modrm >> 6, modrm & 7);
    let is_scaled = mode != 3 && register == SCALED;
    let base = if is_scaled { rest.first()? & 7 } else { register };
    let distance = match (mode, base) {
        (0, NO_BASE) | (2, _) => 4,
        (1, _) => 1,
        _ => 0,
    };
    Some(1 + usize::from(is_scaled) + distance)
}

fn immediate_len(immediate: Immediate, prefixes: Prefixes) -> Option<usize> {
    let is_wide = prefixes.rex & REX_W != 0;
    Some(match immediate {
        Immediate::None => 0,
        Immediate::Byte => 1,
        Immediate::Word => 2,
        Immediate::Wide if is_wide => 8,
        Immediate::Full | Immediate::Wide if prefixes.operand_size && !is_wide => 2,
        Immediate::Full | Immediate::Wide => 4,
        // Processors of two makers differ.
        Immediate::Distance if prefixes.operand_size => return None,
        Immediate::Distance => 4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    use iced_x86::{Decoder, DecoderOptions, Mnemonic};

    /// What a disassembler says.
    fn expected(code: &[u8]) -> Option<Instruction> {
        let instruction = Decoder::with_ip(64, code, 0, DecoderOptions::NONE).decode();
        let kind = match instruction.mnemonic() {
            Mnemonic::INVALID => return None,
            Mnemonic::Ret | Mnemonic::Jmp => Kind::Ends,
            Mnemonic::Nop => Kind::Nop,
            Mnemonic::Int3 => Kind::Break,
            _ => Kind::Other,
        };
        Some(Instruction { len: instruction.len(), kind })
    }

    /// Every opcode after every choice of prefixes, with operands that differ.
    fn all() -> impl Iterator<Item = Vec<u8>> {
        let prefixes: [&[u8]; 10] = [
            &[],
            &[0x66],
            &[0x48],
            &[0x41],
            &[0x66, 0x48],
            &[0xf3],
            &[0xf2],
            &[0x2e, 0x66],
            &[0x64, 0x4f],
            &[0xf3, 0x66, 0x44],
        ];
        let escapes: [&[u8]; 4] = [&[], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]];
        let operands = (0..=255).flat_map(|modrm| [0x25, 0x64, 0x90].map(|sib| [modrm, sib]));
        let operands: Vec<_> = operands.collect();
        prefixes.into_iter().flat_map(move |prefix| {
            let operands = operands.clone();
            escapes.into_iter().flat_map(move |escape| {
                let operands = operands.clone();
                (0..=255u8).flat_map(move |opcode| {
                    let start = [prefix, escape, &[opcode]].concat();
                    let codes =
                        operands.iter().map(|operand| [&start, &operand[..], &[0x10; 12]].concat());
                    codes.collect::<Vec<_>>()
                })
            })
        })
    }

    #[test]
    fn what_is_known_is_what_a_disassembler_says() {
        let (mut valid, mut known) = (0, 0);
        for code in all() {
            let Some(expected) = expected(&code) else { continue };
            valid += 1;
            if let Some(found) = Instruction::decode(&code) {
                known += 1;
                assert_eq!(found, expected, "{code:x?}");
            }
        }
        assert!(known * 5 > valid * 4, "{known} of {valid}");
    }

    #[test]
    fn what_is_cut_off_is_unknown() {
        for code in all().step_by(97) {
            if let Some(Instruction { len, .. }) = Instruction::decode(&code) {
                assert_eq!(Instruction::decode(&code[..len]).map(|i| i.len), Some(len));
                assert_eq!(
                    Instruction::decode(&code[..len - 1]).map(|i| i.len).filter(|&l| l >= len),
                    None
                );
            }
        }
    }
}
