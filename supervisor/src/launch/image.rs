//! The embedded kernel image.

use std::{fs::File, os::unix::fs::FileExt, slice};

/// Where pages begin, so that the image can be mapped from simrun's own file.
#[repr(C, align(4096))]
struct PageAligned<T: ?Sized>(T);

static IMAGE: &PageAligned<[u8]> = &PageAligned(*include_bytes!(env!("SIMRUN_IMAGE")));
static BYTES: &[u8] = &IMAGE.0;

/// simrun's own file, and where the image begins in it.
#[derive(Debug)]
pub struct OwnFile {
    /// The file.
    pub file: File,
    /// Bytes before the image.
    pub offset: u64,
}

impl OwnFile {
    /// The file that this process runs; `None` where the host does not give it, or not as it was mapped.
    pub fn find() -> Option<Self> {
        let offset = offset_in_own_file(BYTES.as_ptr().addr() as u64)?;
        let file = File::open("/proc/self/exe").ok()?;
        let mut head = [0; HEADER_SIZE];
        file.read_exact_at(&mut head, offset).ok()?;
        (head == BYTES[..HEADER_SIZE] && offset.is_multiple_of(PAGE_SIZE))
            .then_some(Self { file, offset })
    }
}

/// Size of the header of an ELF file.
const HEADER_SIZE: usize = 64;
const PAGE_SIZE: u64 = 4096;

/// Where what lies at an address of this program is in its file, by the program headers that the host has mapped.
fn offset_in_own_file(address: u64) -> Option<u64> {
    // SAFETY: getauxval only reads; the host has mapped so many headers there, and nothing writes to them.
    let (headers, table) = unsafe {
        let table = libc::getauxval(libc::AT_PHDR);
        let count = libc::getauxval(libc::AT_PHNUM) as usize;
        if table == 0 {
            return None;
        }
        let first: *const libc::Elf64_Phdr = std::ptr::with_exposed_provenance(table as usize);
        (slice::from_raw_parts(first, count), table)
    };
    let base = table - headers.iter().find(|header| header.p_type == libc::PT_PHDR)?.p_vaddr;
    headers.iter().filter(|header| header.p_type == libc::PT_LOAD).find_map(|header| {
        let distance = address.checked_sub(base + header.p_vaddr)?;
        (distance < header.p_filesz).then(|| header.p_offset + distance)
    })
}

/// A segment of the image.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Address.
    pub address: u64,
    /// Bytes in memory.
    pub memory_size: u64,
    /// Where it lies in the image.
    pub offset: u64,
    /// Contents at the start.
    pub bytes: &'static [u8],
    /// `PROT_*`.
    pub protection: i32,
}

impl Segment {
    /// Whether its pages are those of the file for good.
    pub fn is_constant(&self) -> bool {
        let pages = |bytes: u64| bytes.div_ceil(PAGE_SIZE);
        self.protection & libc::PROT_WRITE == 0
            && pages(self.memory_size) == pages(self.bytes.len() as u64)
    }
}

/// Where the image is entered.
pub fn entry() -> u64 {
    word(24)
}

/// All segments that are loaded.
pub fn segments() -> Vec<Segment> {
    let mut segments: Vec<_> = headers(libc::PT_LOAD).map(segment).collect();
    // What is writable only while it is relocated: the image is linked where it lies, so that never is.
    for relocated in headers(libc::PT_GNU_RELRO) {
        let start = word(relocated + 16);
        let range = start..start + word(relocated + 40);
        for segment in &mut segments {
            let end = segment.address + segment.memory_size;
            if range.contains(&segment.address) && end <= range.end {
                segment.protection &= !libc::PROT_WRITE;
            }
        }
    }
    segments
}

/// Where the program headers of a kind lie in the image.
fn headers(kind: u32) -> impl Iterator<Item = usize> {
    let (table, count) = (word(32) as usize, usize::from(half(56)));
    (0..count).map(move |index| table + index * 56).filter(move |&at| word(at) as u32 == kind)
}

/// The segment of a program header.
fn segment(at: usize) -> Segment {
    let (offset, size) = (word(at + 8) as usize, word(at + 32) as usize);
    let flags = half(at + 4);
    let bit = |flag, protection| if flags & flag != 0 { protection } else { 0 };
    Segment {
        address: word(at + 16),
        memory_size: word(at + 40),
        offset: offset as u64,
        bytes: &BYTES[offset..offset + size],
        protection: bit(4, libc::PROT_READ) | bit(2, libc::PROT_WRITE) | bit(1, libc::PROT_EXEC),
    }
}

fn word(at: usize) -> u64 {
    u64::from_le_bytes(BYTES[at..at + 8].try_into().expect("eight bytes"))
}

fn half(at: usize) -> u16 {
    u16::from_le_bytes(BYTES[at..at + 2].try_into().expect("two bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use simrun_abi::layout;

    #[test]
    fn the_image_lies_where_the_layout_says() {
        let segments = segments();
        assert!(
            segments
                .iter()
                .any(|s| s.address == layout::GATE && s.protection & libc::PROT_EXEC != 0)
        );
        for segment in &segments {
            let end = segment.address + segment.memory_size;
            let inside = segment.address >= layout::IMAGE_BASE
                && end <= layout::IMAGE_BASE + layout::IMAGE_SIZE;
            assert!(inside, "{segment:x?}");
        }
        assert!(segments.iter().any(|s| (s.address..s.address + s.memory_size).contains(&entry())));
    }

    #[test]
    fn the_image_can_be_mapped_from_the_file_that_runs() {
        let own = OwnFile::find().expect("tests run on Linux, by themselves");
        for segment in segments() {
            let mut bytes = vec![0; segment.bytes.len()];
            own.file.read_exact_at(&mut bytes, own.offset + segment.offset).expect("in the file");
            assert!(bytes == segment.bytes, "{:#x}", segment.address);
            assert!(segment.address.is_multiple_of(PAGE_SIZE), "{:#x}", segment.address);
        }
    }

    #[test]
    fn no_segment_is_writable_and_executable() {
        assert!(segments().iter().all(|s| s.protection & (libc::PROT_WRITE | libc::PROT_EXEC)
            != libc::PROT_WRITE | libc::PROT_EXEC));
    }
}
