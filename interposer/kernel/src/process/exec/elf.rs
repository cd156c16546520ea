//! ELF headers (elf(5)).

use alloc::{vec, vec::Vec};

use bytemuck::{Pod, Zeroable};

use crate::{
    error::{Errno, Error, Result},
    mm::Protection,
};

/// `Elf64_Ehdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct FileHeader {
    ident: [u8; 16],
    kind: u16,
    machine: u16,
    version: u32,
    entry: u64,
    phoff: u64,
    shoff: u64,
    flags: u32,
    ehsize: u16,
    phentsize: u16,
    phnum: u16,
    shentsize: u16,
    shnum: u16,
    shstrndx: u16,
}

/// `Elf64_Phdr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct ProgramHeader {
    kind: u32,
    flags: u32,
    /// Offset in the file.
    pub offset: u64,
    /// Address, relative to the load bias.
    pub address: u64,
    physical: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
    /// Alignment, a power of two.
    pub align: u64,
}

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const EM_X86_64: u16 = 62;
/// `Elf64_Shdr` in words of eight bytes: name and type, flags, address, offset, ...
const SECTION_HEADER_WORDS: usize = 8;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const PT_GNU_STACK: u32 = 0x6474_e551;
/// Most bytes of program headers (fs/binfmt_elf.c, load_elf_phdrs).
const HEADERS_SIZE_MAX: usize = 65536;

impl ProgramHeader {
    /// What its memory allows.
    #[must_use]
    pub fn protection(&self) -> Protection {
        let mut prot = Protection::empty();
        prot.set(Protection::READ, self.flags & 4 != 0);
        prot.set(Protection::WRITE, self.flags & 2 != 0);
        prot.set(Protection::EXEC, self.flags & 1 != 0);
        prot
    }
}

/// A parsed executable.
#[derive(Clone, Debug)]
pub struct Elf {
    /// Whether it can be loaded anywhere.
    pub position_independent: bool,
    /// Entry point, relative to the load bias.
    pub entry: u64,
    /// Segments to load, by address.
    pub segments: Vec<ProgramHeader>,
    /// Where the program headers are, relative to the load bias; zero if no segment holds them.
    pub headers_address: u64,
    /// How many there are.
    pub headers_count: u16,
    /// Offset and length of the interpreter's path in the file.
    pub interpreter: Option<(u64, u64)>,
    /// Offset and length of the dynamic section in the file.
    pub dynamic: Option<(u64, u64)>,
    /// Address of the unwind tables' index, relative to the load bias.
    pub unwind_index: Option<u64>,
    /// Offset of the section headers, how many there are, and which of them holds the names.
    pub sections: (u64, u16, u16),
    /// Whether it asks for an executable stack.
    pub executable_stack: bool,
}

const NOT_ELF: Error = Error::new(Errno::ENOEXEC, "not an x86-64 ELF executable");

impl Elf {
    /// Parses headers; `read_at` fills a buffer from an offset in the file and gives how much there was.
    ///
    /// # Errors
    /// `ENOEXEC` for anything but a sound x86-64 executable, or what `read_at` fails with.
    pub fn parse(mut read_at: impl FnMut(&mut [u8], u64) -> Result<usize>) -> Result<Self> {
        let mut header = FileHeader::zeroed();
        if read_at(bytemuck::bytes_of_mut(&mut header), 0)? < size_of::<FileHeader>() {
            return Err(NOT_ELF);
        }
        let sound = header.ident.starts_with(b"\x7fELF\x02\x01")
            && matches!(header.kind, ET_EXEC | ET_DYN)
            && header.machine == EM_X86_64
            && usize::from(header.phentsize) == size_of::<ProgramHeader>();
        let size = usize::from(header.phnum) * size_of::<ProgramHeader>();
        if !sound || size == 0 || size > HEADERS_SIZE_MAX {
            return Err(NOT_ELF);
        }
        let mut headers = vec![ProgramHeader::zeroed(); usize::from(header.phnum)];
        if read_at(bytemuck::cast_slice_mut(&mut headers), header.phoff)? < size {
            return Err(NOT_ELF);
        }
        Self::from_headers(&header, &headers)
    }

    fn from_headers(header: &FileHeader, headers: &[ProgramHeader]) -> Result<Self> {
        let mut segments: Vec<_> =
            headers.iter().filter(|h| h.kind == PT_LOAD && h.memory_size > 0).copied().collect();
        segments.sort_by_key(|segment| segment.address);
        let sane = |h: &ProgramHeader| {
            h.file_size <= h.memory_size
                && h.address
                    .checked_add(h.memory_size)
                    .is_some_and(|end| end < simrun_abi::layout::USER_END)
                && h.offset.checked_add(h.file_size).is_some()
                && h.address % 4096 == h.offset % 4096
                && (h.align <= 1 || h.align.is_power_of_two())
        };
        if segments.is_empty() || !segments.iter().all(sane) {
            return Err(NOT_ELF);
        }
        let holder =
            segments.iter().find(|s| (s.offset..s.offset + s.file_size).contains(&header.phoff));
        let place = |kind| headers.iter().find(|h| h.kind == kind).map(|h| (h.offset, h.file_size));
        let stack = headers.iter().find(|h| h.kind == PT_GNU_STACK);
        Ok(Self {
            position_independent: header.kind == ET_DYN,
            entry: header.entry,
            headers_address: holder.map_or(0, |s| s.address + (header.phoff - s.offset)),
            headers_count: header.phnum,
            interpreter: place(PT_INTERP),
            dynamic: place(PT_DYNAMIC),
            sections: (header.shoff, header.shnum, header.shstrndx),
            unwind_index: headers.iter().find(|h| h.kind == PT_GNU_EH_FRAME).map(|h| h.address),
            executable_stack: stack.is_some_and(|h| h.flags & 1 != 0),
            segments,
        })
    }

    /// Where in the file the byte at an address, relative to the load bias, comes from.
    #[must_use]
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        self.rest_from(address).map(|(offset, _)| offset)
    }

    /// As [`Elf::offset_of`], with the number of bytes from there to the end of the segment.
    #[must_use]
    pub fn rest_from(&self, address: u64) -> Option<(u64, u64)> {
        let holds = |s: &&ProgramHeader| (s.address..s.address + s.file_size).contains(&address);
        let holder = self.segments.iter().find(holds)?;
        let into = address - holder.address;
        Some((holder.offset + into, holder.file_size - into))
    }

    /// Address of the section with this name; `read_at` as for [`Elf::parse`].
    ///
    /// # Errors
    /// What `read_at` fails with.
    pub fn section_address(
        &self,
        name: &[u8],
        mut read_at: impl FnMut(&mut [u8], u64) -> Result<usize>,
    ) -> Result<Option<u64>> {
        let (offset, count, names) = self.sections;
        let mut headers = vec![[0u64; SECTION_HEADER_WORDS]; usize::from(count)];
        read_at(bytemuck::cast_slice_mut(&mut headers), offset)?;
        let Some(&[_, _, _, names, ..]) = headers.get(usize::from(names)) else { return Ok(None) };
        for [name_and_kind, _, address, ..] in headers {
            let mut found = vec![0; name.len() + 1];
            read_at(&mut found, names.saturating_add(name_and_kind & 0xffff_ffff))?;
            if found.strip_suffix(&[0]) == Some(name) {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }

    /// Address range of all segments, relative to the load bias, in whole pages.
    #[must_use]
    pub fn extent(&self) -> (u64, u64) {
        let start = self.segments[0].address & !4095;
        let end = self.segments.iter().map(|s| s.address + s.memory_size).max().unwrap_or(start);
        (start, end.next_multiple_of(4096))
    }

    /// Largest alignment of any segment, at least a page.
    #[must_use]
    pub fn align(&self) -> u64 {
        self.segments.iter().map(|s| s.align).max().unwrap_or(0).max(4096)
    }
}
