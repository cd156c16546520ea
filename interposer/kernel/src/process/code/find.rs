//! Where a file holds instructions that have to be patched.

use alloc::{vec, vec::Vec};

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};

use super::{instruction::OPCODE, unwind};
use crate::{
    error::Result,
    host::{Host, HostFd},
    mm::Protection,
    process::exec::{Elf, read_full},
};

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Bytes from there to the byte that is patched.
    pub patched_at: u64,
}

/// Bytes searched at a time.
const CHUNK: usize = 64 << 10;
/// Bytes of a pattern: the opcode and what follows it.
const PATTERN: usize = 3;
/// Most places in a file that look right: most of them are other instructions' operands.
const SUSPECTS_MAX: usize = 4096;
/// Largest function that is disassembled, in bytes.
const FUNCTION_SIZE_MAX: u64 = 1 << 20;

/// All instructions of a file that have to be patched; none if it is no program or library.
pub fn find(host: &mut dyn Host, fd: HostFd) -> Result<Vec<Site>> {
    let elf = Elf::parse(|into, offset| read_full(host, fd, into, offset))?;
    let suspects = suspects(host, fd, &elf)?;
    let mut sites = Vec::new();
    if suspects.is_empty() {
        return Ok(sites);
    }
    let functions = unwind::functions(host, fd, &elf)?;
    let mut done_to = 0;
    for suspect in suspects {
        let Some((begin, end)) = unwind::holding(&functions, suspect) else { continue };
        if suspect >= done_to && end - begin <= FUNCTION_SIZE_MAX {
            disassemble(host, fd, &elf, (begin, end), &mut sites)?;
            done_to = end;
        }
    }
    Ok(sites)
}

/// Addresses at which the opcode's bytes stand, in order.
fn suspects(host: &mut dyn Host, fd: HostFd, elf: &Elf) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    let mut buffer = vec![0; CHUNK + PATTERN - 1];
    for segment in elf.segments.iter().filter(|s| s.protection().contains(Protection::EXEC)) {
        let mut done = 0;
        while done < segment.file_size {
            let want = (segment.file_size - done).min(buffer.len() as u64) as usize;
            let got = read_full(host, fd, &mut buffer[..want], segment.offset + done)?;
            if contains_pattern(&buffer[..got]) {
                let places =
                    (0..got.saturating_sub(PATTERN - 1)).filter(|&at| is_pattern(&buffer[at..]));
                found.extend(places.map(|at| segment.address + done + at as u64));
            }
            if found.len() > SUSPECTS_MAX {
                return Ok(found);
            }
            done += CHUNK as u64;
        }
    }
    Ok(found)
}

fn is_pattern(code: &[u8]) -> bool {
    code[..2] == OPCODE && code[2] >= 0xf0
}

/// Whether the pattern stands anywhere. Without a branch, so that the compiler makes it a vector loop: all code that
/// programs map goes through here.
fn contains_pattern(code: &[u8]) -> bool {
    let (Some(second), Some(third)) = (code.get(1..), code.get(2..)) else { return false };
    let hits = code.iter().zip(second).zip(third);
    hits.fold(0u8, |any, ((&a, &b), &c)| {
        any | u8::from((a == OPCODE[0]) & (b == OPCODE[1]) & (c >= 0xf0))
    }) != 0
}

/// Adds the instructions of one function.
fn disassemble(
    host: &mut dyn Host,
    fd: HostFd,
    elf: &Elf,
    (begin, end): (u64, u64),
    sites: &mut Vec<Site>,
) -> Result<()> {
    let Some(offset) = elf.offset_of(begin) else { return Ok(()) };
    let mut code = vec![0; (end - begin) as usize];
    let len = read_full(host, fd, &mut code, offset)?;
    let mut decoder = Decoder::with_ip(64, &code[..len], 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        match instruction.mnemonic() {
            // Data among code: what comes after is not known to be code.
            Mnemonic::INVALID => break,
            Mnemonic::Rdrand | Mnemonic::Rdseed | Mnemonic::Rdpid => {
                let place = instruction.ip();
                let bytes = &code[place as usize..][..instruction.len()];
                // Twice the same prefix and the like are nobody's: left alone.
                if let [.., 0x0f, 0xc7, _] = bytes
                    && bytes.len() <= 5
                {
                    let patched_at = bytes.len() as u64 - 2;
                    sites.push(Site { offset: offset + place, patched_at });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_search_finds_what_the_exact_one_does() {
        let mut code = [0x90u8; 300];
        for at in [0, 1, 63, 64, 150, 297] {
            code.fill(0x90);
            code[at..at + 3].copy_from_slice(&[0x0f, 0xc7, 0xf9]);
            assert!(contains_pattern(&code) && is_pattern(&code[at..]), "{at}");
            code[at + 2] = 0xef;
            assert!(!contains_pattern(&code), "{at}");
        }
        assert!(!contains_pattern(&[0x0f, 0xc7]));
    }
}
