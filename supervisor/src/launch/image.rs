//! The embedded kernel image.

static BYTES: &[u8] = include_bytes!(env!("SIMRUN_IMAGE"));

/// A segment of the image.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Address.
    pub address: u64,
    /// Bytes in memory.
    pub memory_size: u64,
    /// Contents at the start.
    pub bytes: &'static [u8],
    /// `PROT_*`.
    pub protection: i32,
}

/// Where the image is entered.
pub fn entry() -> u64 {
    word(24)
}

/// All segments that are loaded.
pub fn segments() -> Vec<Segment> {
    let (table, count) = (word(32) as usize, usize::from(half(56)));
    (0..count)
        .map(|index| table + index * 56)
        .filter(|&at| half(at) == 1)
        .map(|at| {
            let (offset, size) = (word(at + 8) as usize, word(at + 32) as usize);
            let flags = half(at + 4);
            let bit = |flag, protection| if flags & flag != 0 { protection } else { 0 };
            Segment {
                address: word(at + 16),
                memory_size: word(at + 40),
                bytes: &BYTES[offset..offset + size],
                protection: bit(4, libc::PROT_READ)
                    | bit(2, libc::PROT_WRITE)
                    | bit(1, libc::PROT_EXEC),
            }
        })
        .collect()
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
    fn no_segment_is_writable_and_executable() {
        assert!(segments().iter().all(|s| s.protection & (libc::PROT_WRITE | libc::PROT_EXEC)
            != libc::PROT_WRITE | libc::PROT_EXEC));
    }
}
