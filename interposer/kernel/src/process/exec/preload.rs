//! Which programs take the preload library.

use alloc::vec;

use super::elf::Elf;
use crate::{
    error::Result,
    host::{Host, HostFd},
};

/// File name of glibc's loader. Others (musl's) could not satisfy the library.
const LOADER: &[u8] = b"ld-linux-x86-64.so.2";
/// Libraries that insist on being the first one, or that bring hooks of their own for the same functions.
const RIVALS: [&[u8]; 4] = [b"libasan.so", b"libtsan.so", b"liblsan.so", b"libhwasan.so"];
/// Most bytes of a dynamic section looked at.
const DYNAMIC_SIZE_MAX: u64 = 64 << 10;
/// Bytes of a library's name looked at.
const NAME_SIZE: usize = 16;

const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;

/// Whether a program with this loader takes the library.
pub fn suits(host: &mut dyn Host, file: HostFd, elf: &Elf, loader: &[u8]) -> bool {
    loader.ends_with(LOADER) && !needs_rival(host, file, elf).unwrap_or(false)
}

fn needs_rival(host: &mut dyn Host, file: HostFd, elf: &Elf) -> Result<bool> {
    let Some((offset, size)) = elf.dynamic else { return Ok(false) };
    let mut words = vec![0u64; (size.min(DYNAMIC_SIZE_MAX) / 16 * 2) as usize];
    super::image::read_full(host, file, bytemuck::cast_slice_mut(&mut words), offset)?;
    let entries = || words.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let names = entries().find(|(tag, _)| *tag == DT_STRTAB);
    let Some(names) = names.and_then(|(_, address)| elf.offset_of(address)) else {
        return Ok(false);
    };
    for (_, name) in entries().filter(|(tag, _)| *tag == DT_NEEDED) {
        let mut start = [0; NAME_SIZE];
        super::image::read_full(host, file, &mut start, names.saturating_add(name))?;
        if RIVALS.iter().any(|rival| start.starts_with(rival)) {
            return Ok(true);
        }
    }
    Ok(false)
}
