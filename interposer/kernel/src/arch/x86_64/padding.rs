//! Padding in code: bytes between an instruction after which nothing goes on and the next aligned one.

use alloc::vec::Vec;
use core::ops::Range;

use super::instruction::{Instruction, Kind};

/// `jmp rel8` reaches so many bytes past its end.
const REACH: usize = 127;
/// Bytes around a place in which a short jump to it begins.
const SHORT_JUMPS: usize = REACH + 3;
/// Room that a `jmp rel32` needs.
pub const ROOM: usize = 5;
/// Assemblers pad up to multiples of this, or more.
const ALIGNMENT: u64 = 8;

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
    let (first, last) = (candidates.first()?, candidates.last()?);
    let jumps = jumps_into(code, first.start..last.end);
    let is_free = |padding: &Padding| {
        let place = padding.start..padding.end;
        !jumps.iter().any(|jump| place.contains(&jump.to) && !place.contains(&jump.from))
    };
    candidates.into_iter().find(is_free)
}

/// What looks like padding, by address.
fn candidates(code: &[u8], address: u64, from: usize) -> Vec<Padding> {
    let mut found = Vec::new();
    let mut at = from;
    let mut goes_on = true;
    while at <= from + REACH
        && let Some(Instruction { len, kind }) = code.get(at..).and_then(Instruction::decode)
    {
        if goes_on || !matches!(kind, Kind::Nop | Kind::Break) {
            // `int3` between other instructions is no padding: nothing before it has ended.
            goes_on = kind != Kind::Ends;
            at += len;
            continue;
        }
        let padding = Padding { start: at, end: end_of_row(code, at, kind) };
        let has_room = padding.end - at >= ROOM && (kind == Kind::Break || len >= ROOM);
        if has_room && (address + padding.end as u64).is_multiple_of(ALIGNMENT) {
            found.push(padding);
        }
        at = padding.end;
    }
    found
}

/// Where instructions of a kind end that follow each other from a place on.
fn end_of_row(code: &[u8], mut at: usize, of_kind: Kind) -> usize {
    while let Some(Instruction { len, kind }) = code.get(at..).and_then(Instruction::decode)
        && kind == of_kind
    {
        at += len;
    }
    at
}

/// A place whose bytes could be a relative jump or call, and where that would lead.
#[derive(Clone, Copy)]
struct Jump {
    from: usize,
    to: usize,
}

/// All that would lead into a range.
fn jumps_into(code: &[u8], range: Range<usize>) -> Vec<Jump> {
    let mut jumps = Vec::new();
    // The distance before the opcode: hardly any leads there, whatever it is. Code is much shorter than 4 GiB.
    for (at, bytes) in code.windows(4).enumerate() {
        let distance = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let into = (at as u32 + 4).wrapping_add(distance).wrapping_sub(range.start as u32);
        if into < range.len() as u32 {
            let opcode_len = match code[..at] {
                [.., 0xe8 | 0xe9] => 1,
                [.., 0x0f, 0x80..=0x8f] => 2,
                _ => continue,
            };
            jumps.push(Jump { from: at - opcode_len, to: range.start + into as usize });
        }
    }
    let first = range.start.saturating_sub(SHORT_JUMPS);
    let around = &code[first..code.len().min(range.end + SHORT_JUMPS)];
    for (from, bytes) in (first..).zip(around.windows(2)) {
        let to = (from + 2).checked_add_signed(isize::from(bytes[1] as i8));
        if let Some(to) = to.filter(|to| range.contains(to))
            && matches!(bytes[0], 0x70..=0x7f | 0xeb | 0xe0..=0xe3)
        {
            jumps.push(Jump { from, to });
        }
    }
    jumps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::x86_64::instruction::INT3;

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
