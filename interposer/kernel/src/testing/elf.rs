//! Programs for the fake machine.

use alloc::{vec, vec::Vec};

use super::Bytes;

/// Bytes of header and program header.
const HEADERS_SIZE: usize = 64 + 56;

/// The smallest static executable: a header, one segment, no code.
#[must_use]
pub fn smallest_program() -> Vec<u8> {
    let mut file = vec![0; HEADERS_SIZE];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &2u16.to_le_bytes()); // ET_EXEC
    put(18, &62u16.to_le_bytes()); // EM_X86_64
    put(20, &1u32.to_le_bytes());
    put(24, &0x40_0078u64.to_le_bytes()); // entry
    put(32, &64u64.to_le_bytes()); // program headers
    put(52, &64u16.to_le_bytes());
    put(54, &56u16.to_le_bytes());
    put(56, &1u16.to_le_bytes());
    put(64, &1u32.to_le_bytes()); // PT_LOAD
    put(68, &5u32.to_le_bytes()); // readable, executable
    put(80, &0x40_0000u64.to_le_bytes());
    put(96, &(HEADERS_SIZE as u64).to_le_bytes());
    put(104, &(HEADERS_SIZE as u64).to_le_bytes());
    put(112, &4096u64.to_le_bytes());
    file
}

/// The smallest program with a few of its bytes replaced, as these bytes say: lengths and places that are nearly right
/// get further than those that are not.
#[must_use]
pub fn damaged_program(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = Bytes::new(bytes);
    let mut file = smallest_program();
    for _ in 0..=bytes.byte() % 4 {
        let at = usize::from(bytes.byte()) % file.len();
        let value = match bytes.byte() % 4 {
            0 => bytes.number().to_le_bytes(),
            1 => (1u64 << (bytes.byte() % 64)).to_le_bytes(),
            2 => (-1 - i64::from(bytes.byte())).to_le_bytes(),
            _ => [bytes.byte(); 8],
        };
        let len = (file.len() - at).min(1 + usize::from(bytes.byte() % 8));
        file[at..at + len].copy_from_slice(&value[..len]);
    }
    file
}
