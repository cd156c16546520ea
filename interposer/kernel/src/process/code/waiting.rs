//! Finding the jump that makes a loop of some code.

use iced_x86::{Decoder, DecoderOptions, Instruction};

use crate::arch::x86_64::Branch;

/// How far back a waiting loop may jump, in bytes: one that computes is larger or calls somebody.
pub const LOOP_MAX: u64 = 256;

/// Offset of the first jump in `code` that leads back to its start or before it. `code` begins with an instruction
/// of the loop.
#[must_use]
pub fn back_edge(code: &[u8]) -> Option<usize> {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    // Counted from far enough that no target is negative.
    let base = 1u64 << 40;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            return None;
        }
        let at = instruction.ip() as usize;
        if let Some(branch) = Branch::decode(&code[at..]) {
            let target = branch.target(base + at as u64);
            if target <= base && base - target <= LOOP_MAX {
                return Some(at);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jump_back_is_found_behind_jumps_out() {
        // pause; mov (%rdi), %eax; test %eax, %eax; jne out; jmp to the first
        let waits = [0xf3, 0x90, 0x8b, 0x07, 0x85, 0xc0, 0x75, 0x10, 0xeb, 0xf6, 0x90];
        assert_eq!(back_edge(&waits), Some(8));
        // From the middle of the loop on, too.
        assert_eq!(back_edge(&waits[4..]), Some(4));
        // A loop inside what follows is another one.
        assert_eq!(back_edge(&[0x90, 0x90, 0x75, 0xfd, 0xc3]), None);
        assert_eq!(back_edge(&[0x90, 0x06, 0x75, 0xfa]), None);
    }
}
