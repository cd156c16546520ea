//! Padding in code: bytes between an instruction after which nothing goes on and the next aligned one.

use alloc::vec::Vec;

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};

/// `jmp rel8` reaches so many bytes past its end.
const REACH: usize = 127;
/// Room that a `jmp rel32` needs.
pub const ROOM: usize = 5;
/// Assemblers pad up to multiples of this, or more.
const ALIGNMENT: u64 = 8;
/// `int3`, with which some linkers pad.
pub const INT3: u8 = 0xcc;

/// Where padding lies, in bytes from the start of the code that was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Its first byte.
    pub start: usize,
    /// The first byte past it.
    pub end: usize,
}

/// The first padding that a `jmp rel8` which ends at `from` reaches and in which a `jmp rel32` has room.
///
/// `code` starts at `address`, and an instruction starts at `from`. Padding is what follows a `ret` or `jmp`, does
/// nothing (a long `nop` or a row of `int3`), ends at an aligned address, and is the target of no jump in `code`.
#[must_use]
pub fn find(code: &[u8], address: u64, from: usize) -> Option<Padding> {
    let candidates = candidates(code, address, from);
    candidates.into_iter().find(|padding| !is_jumped_to(code, *padding))
}

fn candidates(code: &[u8], address: u64, from: usize) -> Vec<Padding> {
    let mut found = Vec::new();
    let mut decoder =
        Decoder::with_ip(64, code.get(from..).unwrap_or(&[]), from as u64, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut goes_on = true;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let start = instruction.ip() as usize;
        let mnemonic = instruction.mnemonic();
        if start > from + REACH || mnemonic == Mnemonic::INVALID {
            break;
        }
        let mut end = start + instruction.len();
        if !goes_on && matches!(mnemonic, Mnemonic::Nop | Mnemonic::Int3) {
            let long = mnemonic == Mnemonic::Nop && instruction.len() >= ROOM;
            // The rest of the same padding.
            while decoder.can_decode() {
                let (position, ip) = (decoder.position(), decoder.ip());
                decoder.decode_out(&mut instruction);
                if instruction.mnemonic() != mnemonic {
                    // It is looked at again as code.
                    if decoder.set_position(position).is_err() {
                        return found;
                    }
                    decoder.set_ip(ip);
                    break;
                }
                end = instruction.next_ip() as usize;
            }
            let row = mnemonic == Mnemonic::Int3 && end - start >= ROOM;
            if (long || row) && (address + end as u64).is_multiple_of(ALIGNMENT) {
                found.push(Padding { start, end });
            }
            continue;
        }
        // `int3` between other instructions is no padding: nothing before it has ended.
        goes_on = !matches!(mnemonic, Mnemonic::Ret | Mnemonic::Jmp);
    }
    found
}

/// Whether any bytes outside the padding that could be a relative jump or call would lead into it.
fn is_jumped_to(code: &[u8], Padding { start, end }: Padding) -> bool {
    let leads_inside = |next: usize, distance: i32| {
        let target = next as i64 + i64::from(distance);
        (start as i64..end as i64).contains(&target)
    };
    code.windows(6).enumerate().any(|(at, bytes)| {
        let near = |at: usize| {
            i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let jumps = match bytes[0] {
            0x70..=0x7f | 0xeb | 0xe0..=0xe3 => leads_inside(at + 2, i32::from(bytes[1] as i8)),
            0xe8 | 0xe9 => leads_inside(at + 5, near(1)),
            0x0f if bytes[1] & 0xf0 == 0x80 => leads_inside(at + 6, near(2)),
            _ => false,
        };
        jumps && !(start..end).contains(&at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code at 0x1000 in which `syscall` has just ended at 2.
    fn found(after: &[u8]) -> Option<(usize, usize)> {
        let code = [&[0x0f, 0x05], after].concat();
        find(&code, 0x1000, 2).map(|padding| (padding.start, padding.end))
    }

    const LONG_NOP: [u8; 8] = [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0];

    #[test]
    fn padding_follows_an_end_of_code_and_ends_aligned() {
        let nops = |before: &[u8]| [before, &LONG_NOP, &[0x53]].concat();
        type Case = (&'static str, Vec<u8>, Option<(usize, usize)>);
        let cases: [Case; 6] = [
            ("ret; nop", nops(&[0x90, 0x90, 0x90, 0x90, 0x90, 0xc3]), Some((8, 16))),
            ("jmp; nop", nops(&[0x90, 0x90, 0x90, 0x90, 0xeb, 0x00]), None),
            ("jmp far; nop", nops(&[0x90, 0x90, 0x90, 0x90, 0xeb, 0x08]), Some((8, 16))),
            ("mov %eax,%ebx; nop", nops(&[0x90, 0x90, 0x90, 0x90, 0x89, 0xc3]), None),
            ("not aligned", nops(&[0x90, 0xc3]), None),
            ("ret; int3", [&[0xc3u8][..], &[INT3; 13], &[0x53]].concat(), Some((3, 16))),
        ];
        for (name, code, expected) in cases {
            assert_eq!(found(&code), expected, "{name}");
        }
    }

    #[test]
    fn padding_that_is_jumped_to_is_none() {
        // jne to the nop; ret; nop.
        let code = [&[0x90, 0x90, 0x90, 0x75, 0x01, 0xc3][..], &LONG_NOP].concat();
        assert_eq!(found(&code), None);
        // The same, over the nop.
        let code = [&[0x90, 0x90, 0x90, 0x75, 0x09, 0xc3][..], &LONG_NOP].concat();
        assert_eq!(found(&code), Some((8, 16)));
    }

    #[test]
    fn padding_out_of_reach_is_none() {
        let code = [&[0x90; 133][..], &[0xc3], &LONG_NOP].concat();
        assert_eq!(found(&code), None);
    }
}
