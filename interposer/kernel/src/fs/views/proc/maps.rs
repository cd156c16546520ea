//! What is mapped where: `maps`, `smaps`, `smaps_rollup`.
//!
//! simrun's own ranges are in no address space's list, so they do not show.

use alloc::{format, string::String, vec::Vec};

use super::facts;
use crate::mm::{AddressSpace, MapFlags, Mapping, Protection, Range};

/// Where the path starts in a line, in characters (fs/proc/task_mmu.c).
const PATH_COLUMN: usize = 73;
/// The one device that the host's files seem to be on, as `maps` writes it.
const DEVICE: &str = "08:01";
/// The one that segments of System V shared memory seem to be on.
const SEGMENTS_DEVICE: &str = "00:01";

fn line(range: Range, mapping: &Mapping) -> Vec<u8> {
    let bit = |flag, letter| if mapping.prot.contains(flag) { letter } else { '-' };
    let sharing = if mapping.flags.contains(MapFlags::SHARED) { 's' } else { 'p' };
    let device = match mapping.inode {
        _ if mapping.is_segment => SEGMENTS_DEVICE,
        0 => "00:00",
        _ => DEVICE,
    };
    let mut line = format!(
        "{:08x}-{:08x} {}{}{}{sharing} {:08x} {device} {} ",
        range.start,
        range.end,
        bit(Protection::READ, 'r'),
        bit(Protection::WRITE, 'w'),
        bit(Protection::EXEC, 'x'),
        mapping.offset,
        mapping.inode,
    );
    if !mapping.name.is_empty() {
        while line.len() < PATH_COLUMN {
            line.push(' ');
        }
    }
    let mut line = line.into_bytes();
    line.extend_from_slice(&mapping.name);
    line.push(b'\n');
    line
}

/// `maps`.
pub fn maps(space: &AddressSpace) -> Vec<u8> {
    space.iter().flat_map(|(range, mapping)| line(range, mapping)).collect()
}

fn figures(size: u64, resident: u64, shared: bool, private_dirty: u64, locked: u64) -> String {
    let (size, resident, dirty) = (size >> 10, resident >> 10, private_dirty >> 10);
    let locked = locked >> 10;
    let clean = resident - dirty;
    let (shared_clean, private_clean) = if shared { (clean, 0) } else { (0, clean) };
    format!(
        "Rss:            {resident:8} kB\nPss:            {resident:8} kB\nPss_Dirty:      {dirty:8} kB\n\
         Shared_Clean:   {shared_clean:8} kB\nShared_Dirty:          0 kB\nPrivate_Clean:  {private_clean:8} kB\n\
         Private_Dirty:  {dirty:8} kB\nReferenced:     {resident:8} kB\nAnonymous:      {dirty:8} kB\n\
         KSM:                   0 kB\nLazyFree:              0 kB\nAnonHugePages:         0 kB\n\
         ShmemPmdMapped:        0 kB\nFilePmdMapped:         0 kB\nShared_Hugetlb:        0 kB\n\
         Private_Hugetlb:       0 kB\nSwap:                  0 kB\nSwapPss:               0 kB\n\
         Locked:         {locked:8} kB\n{}",
        if size == 0 { "" } else { "THPeligible:           0\n" },
    )
}

fn dirty(range: Range, mapping: &Mapping) -> u64 {
    let own = mapping.prot.contains(Protection::WRITE) && !mapping.flags.contains(MapFlags::SHARED);
    if own { facts::resident_of(range, mapping) } else { 0 }
}

/// `VmFlags` (Documentation/filesystems/proc.rst).
fn flags(mapping: &Mapping) -> String {
    let flags = [
        (mapping.prot.contains(Protection::READ), "rd "),
        (mapping.prot.contains(Protection::WRITE), "wr "),
        (mapping.prot.contains(Protection::EXEC), "ex "),
        (mapping.flags.contains(MapFlags::SHARED) && !mapping.is_read_only, "sh "),
        (true, "mr "),
        (!mapping.is_read_only, "mw "),
        (true, "me "),
        (mapping.flags.contains(MapFlags::SHARED), "ms "),
        (mapping.name.as_ref() == b"[stack]", "gd "),
        (mapping.is_locked, "lo "),
        (mapping.committed(1) > 0, "ac "),
        (mapping.flags.contains(MapFlags::NORESERVE), "nr "),
    ];
    flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect()
}

/// `smaps`.
pub fn smaps(space: &AddressSpace) -> Vec<u8> {
    let one = |(range, mapping): (Range, &Mapping)| {
        let mut text = line(range, mapping);
        let size = range.len() >> 10;
        let shared = mapping.flags.contains(MapFlags::SHARED);
        text.extend(
            format!("Size:           {size:8} kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n").bytes(),
        );
        let resident = facts::resident_of(range, mapping);
        let locked = if mapping.is_locked { resident } else { 0 };
        text.extend(figures(range.len(), resident, shared, dirty(range, mapping), locked).bytes());
        text.extend(format!("VmFlags: {}\n", flags(mapping)).bytes());
        text
    };
    space.iter().flat_map(one).collect()
}

/// `smaps_rollup`.
pub fn rollup(space: &AddressSpace) -> Vec<u8> {
    let (Some((first, _)), Some((last, _))) = (space.iter().next(), space.iter().next_back())
    else {
        return Vec::new();
    };
    let all = Mapping::anonymous(Protection::empty(), MapFlags::PRIVATE, b"[rollup]");
    let mut text = line(Range { start: first.start, end: last.end }, &all);
    let dirty = space.iter().map(|(range, mapping)| dirty(range, mapping)).sum();
    text.extend(figures(0, facts::resident(space), false, dirty, space.locked()).bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> AddressSpace {
        let mut space = AddressSpace::default();
        let prot = Protection::READ | Protection::EXEC;
        let code = Mapping {
            offset: 0x1000,
            inode: 42,
            ..Mapping::anonymous(prot, MapFlags::PRIVATE, b"/usr/bin/a b")
        };
        space.insert(Range { start: 0x40_0000, end: 0x40_2000 }, code);
        let heap = Mapping::anonymous(Protection::READ | Protection::WRITE, MapFlags::PRIVATE, b"");
        space.insert(Range { start: 0x7ed0_0000_0000, end: 0x7ed0_0000_1000 }, heap);
        space
    }

    #[test]
    fn maps_is_laid_out_as_the_kernel_does() {
        let text = String::from_utf8(maps(&space())).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "00400000-00402000 r-xp 00001000 08:01 42                                 /usr/bin/a b",
                "7ed000000000-7ed000001000 rw-p 00000000 00:00 0 ",
            ]
        );
        assert_eq!(lines[0].find('/'), Some(PATH_COLUMN));
    }

    #[test]
    fn the_parts_of_smaps_add_up_to_its_rollup() {
        let total = |text: Vec<u8>, key: &str| -> u64 {
            let text = String::from_utf8(text).unwrap();
            let values = text.lines().filter_map(|line| line.strip_prefix(key));
            values.map(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap()).sum()
        };
        for key in ["Rss:", "Private_Dirty:", "Private_Clean:", "Anonymous:"] {
            assert_eq!(total(smaps(&space()), key), total(rollup(&space()), key), "{key}");
        }
        assert_eq!(total(rollup(&space()), "Rss:"), 12);
    }
}
