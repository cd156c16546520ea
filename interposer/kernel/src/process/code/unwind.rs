//! Where functions begin and end, by the unwind tables (`.eh_frame`; LSB Core, "Exception Frames").

use alloc::{vec, vec::Vec};

use crate::{
    error::Result,
    host::{Host, HostFd},
    process::exec::{Elf, read_full},
};

/// Most bytes of tables that are looked at.
const TABLES_SIZE_MAX: u64 = 16 << 20;
/// How all compilers for x86-64 write a function's address: four bytes, relative to themselves.
const RELATIVE_FOUR_BYTES: u8 = 0x1b;

/// A function: first address and the one past it.
pub type Function = (u64, u64);

/// All functions of a file that have unwind information, by address.
///
/// # Errors
/// What reading fails with.
pub fn functions(host: &mut dyn Host, fd: HostFd, elf: &Elf) -> Result<Vec<Function>> {
    let Some(address) = tables_address(host, fd, elf)? else { return Ok(Vec::new()) };
    let Some((offset, len)) = elf.rest_from(address) else { return Ok(Vec::new()) };
    let mut tables = vec![0; len.min(TABLES_SIZE_MAX) as usize];
    let len = read_full(host, fd, &mut tables, offset)?;
    let mut functions: Vec<_> = Tables { bytes: &tables[..len], address, at: 0 }.collect();
    functions.sort_unstable();
    Ok(functions)
}

/// The function that holds an address.
pub fn holding(functions: &[Function], address: u64) -> Option<Function> {
    let after = functions.partition_point(|&(begin, _)| begin <= address);
    functions[..after].last().copied().filter(|&(_, end)| address < end)
}

/// Where the tables are: the index points at them; static programs have none, but sections.
fn tables_address(host: &mut dyn Host, fd: HostFd, elf: &Elf) -> Result<Option<u64>> {
    let Some(index) = elf.unwind_index else {
        return elf.section_address(b".eh_frame", |into, at| read_full(host, fd, into, at));
    };
    let Some(offset) = elf.offset_of(index) else { return Ok(None) };
    let mut header = [0; 8];
    read_full(host, fd, &mut header, offset)?;
    let [1, RELATIVE_FOUR_BYTES, _, _, a, b, c, d] = header else { return Ok(None) };
    Ok(Some((index + 4).wrapping_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])))))
}

/// Walks over the tables' records.
struct Tables<'a> {
    bytes: &'a [u8],
    address: u64,
    at: usize,
}

impl Tables<'_> {
    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// Whether the functions under the common record at an offset have their addresses written in the usual way.
    fn is_usual(&self, common: usize) -> Option<bool> {
        let mut fields = Fields(self.bytes.get(common + 9..)?);
        let letters = fields.0.iter().position(|&byte| byte == 0)?;
        let (names, rest) = fields.0.split_at(letters);
        fields.0 = &rest[1..];
        let Some(names) = names.strip_prefix(b"z") else { return Some(false) };
        // Code alignment, data alignment, return address, length of what follows.
        for _ in 0..4 {
            fields.skip_number()?;
        }
        for name in names {
            match name {
                b'R' => return Some(fields.byte()? == RELATIVE_FOUR_BYTES),
                b'L' => drop(fields.byte()?),
                b'P' => fields.skip_pointer()?,
                b'S' | b'B' => {}
                _ => return Some(false),
            }
        }
        Some(false)
    }

    fn function(&self, record: usize, common: usize) -> Option<Function> {
        if !self.is_usual(common)? {
            return None;
        }
        let distance = i64::from(self.word(record + 8)? as i32);
        let begin = (self.address + record as u64 + 8).wrapping_add_signed(distance);
        Some((begin, begin + u64::from(self.word(record + 12)?)))
    }
}

impl Iterator for Tables<'_> {
    type Item = Function;

    fn next(&mut self) -> Option<Function> {
        loop {
            let record = self.at;
            // Zero ends the tables; all ones begins a record of over 4 GiB, which nobody writes.
            let len = self.word(record).filter(|&len| len != 0 && len != u32::MAX)?;
            self.at = record + 4 + len as usize;
            let back = self.word(record + 4)? as usize;
            if back != 0
                && let Some(common) = (record + 4).checked_sub(back)
                && let Some(function) = self.function(record, common)
            {
                return Some(function);
            }
        }
    }
}

/// Fields of a common record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip_number(&mut self) -> Option<()> {
        while self.byte()? & 0x80 != 0 {}
        Some(())
    }

    /// A pointer with its encoding before it.
    fn skip_pointer(&mut self) -> Option<()> {
        let size = match self.byte()? & 0x0f {
            0x02 | 0x0a => 2,
            0x03 | 0x0b => 4,
            0x00 | 0x04 | 0x0c => 8,
            _ => return None,
        };
        self.0 = self.0.get(size..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A common record with a personality, a function of 0x20 bytes that begins 0x100 past the tables, the end.
    const TABLES: [u8; 56] = [
        24, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'P', b'L', b'R', 0, 1, 0x78, 16, 7, 0x9b, 1, 2, 3, 4,
        0x1b, 0x1b, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0, 0xdc, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 9, 9, 9, 9,
    ];

    #[test]
    fn a_function_is_found_by_any_of_its_addresses() {
        let found: Vec<_> = Tables { bytes: &TABLES, address: 0x1000, at: 0 }.collect();
        assert_eq!(found, [(0x1100, 0x1120)]);
        for (address, held) in [(0x10ff, false), (0x1100, true), (0x111f, true), (0x1120, false)] {
            assert_eq!(holding(&found, address).is_some(), held, "{address:#x}");
        }
    }

    #[test]
    fn broken_tables_are_no_functions() {
        for cut in 0..TABLES.len() - 12 {
            let found = Tables { bytes: &TABLES[..cut], address: 0, at: 0 }.count();
            assert!(found <= 1, "{cut}");
        }
        let mut other = TABLES;
        other[24] = 0;
        assert_eq!(Tables { bytes: &other, address: 0, at: 0 }.count(), 0);
    }
}
