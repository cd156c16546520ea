//! One address space.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use simrun_abi::layout;

use super::life::Life;
use super::{MapFlags, Protection};
use crate::{
    error::{Errno, Error, Result},
    spin::Place,
    uapi::limits::PAGE_SIZE,
};

/// Names an address space; its index is the number of its host process.
pub type SpaceId = crate::slab::Id<AddressSpace>;

/// A range of addresses, both ends at page boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// First address past it.
    pub end: u64,
}

impl Range {
    /// The pages that hold `len` bytes from a page-aligned address.
    ///
    /// # Errors
    /// `EINVAL` for an unaligned start or no length; `ENOMEM` past the end of user space.
    pub fn pages(start: u64, len: u64) -> Result<Self> {
        if !start.is_multiple_of(PAGE_SIZE) || len == 0 {
            return Err(Errno::EINVAL.into());
        }
        let end = len.checked_next_multiple_of(PAGE_SIZE).and_then(|len| start.checked_add(len));
        match end {
            Some(end) if end <= layout::USER_END => Ok(Self { start, end }),
            _ => Err(Errno::ENOMEM.into()),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether it has no length.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether it touches simrun's own ranges.
    #[must_use]
    pub fn touches_simrun(self) -> bool {
        let meets = |start, end| self.start < end && self.end > start;
        meets(layout::OWN_START, layout::OWN_END)
            || layout::stubs::STARTS.iter().any(|&start| meets(start, start + layout::stubs::SIZE))
    }

    fn intersect(self, other: Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (!both.is_empty()).then_some(both)
    }
}

/// What is known of a mapped range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Protection now.
    pub prot: Protection,
    /// How it was mapped.
    pub flags: MapFlags,
    /// File it shows in `/proc/self/maps`: a path, `[heap]`, `[stack]`, or nothing.
    pub name: alloc::rc::Rc<[u8]>,
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Virtual inode number of the file, zero for none.
    pub inode: u64,
    /// The object that a shared mapping shows, by which futexes in it are known; zero for none.
    pub object: u64,
    /// Whether it may not be made writable: a shared mapping of a file that is open for reading alone.
    pub is_read_only: bool,
    /// Whether a child does not get it (`MADV_DONTFORK`).
    pub stays_behind: bool,
    /// Whether it is locked (mlock(2)); a child's copy is not.
    pub is_locked: bool,
    /// Whether that object is a segment of System V shared memory, whose mappings are counted.
    pub is_segment: bool,
}

impl Mapping {
    /// Zeroed private memory.
    #[must_use]
    pub fn anonymous(prot: Protection, flags: MapFlags, name: &[u8]) -> Self {
        Self {
            prot,
            flags,
            name: name.into(),
            offset: 0,
            inode: 0,
            object: 0,
            is_read_only: false,
            stays_behind: false,
            is_locked: false,
            is_segment: false,
        }
    }

    fn has_offset(&self) -> bool {
        self.inode != 0 || self.object != 0
    }

    fn advanced(&self, by: u64) -> Self {
        Self { offset: if self.has_offset() { self.offset + by } else { 0 }, ..self.clone() }
    }

    fn continues(&self, len: u64, next: &Self) -> bool {
        *next == self.advanced(len)
    }

    /// Bytes of memory that the simulated machine must be able to give for this much of it.
    #[must_use]
    pub fn committed(&self, len: u64) -> u64 {
        let private_write =
            self.prot.contains(Protection::WRITE) && !self.flags.contains(MapFlags::SHARED);
        if private_write && !self.flags.contains(MapFlags::NORESERVE) { len } else { 0 }
    }
}

/// One address space: the mapped ranges of one host process.
#[derive(Clone, Debug)]
pub struct AddressSpace {
    maps: BTreeMap<u64, (u64, Mapping)>,
    /// How many mappings there are of each segment of System V shared memory, by object.
    attachments: BTreeMap<u64, u64>,
    /// Start of the program break.
    pub break_start: u64,
    /// The program break.
    pub break_end: u64,
    /// Processes that live in it: more than one only between `vfork` and `exec`.
    pub users: u32,
    /// Bytes committed.
    pub committed: u64,
    /// Whether what is mapped from now on is locked (mlockall(2), `MCL_FUTURE`).
    pub locks_new: bool,
    /// Stubs made in each range of [`layout::stubs`].
    pub stubs: [u32; layout::stubs::STARTS.len()],
    /// Call sites, by the address after them, for which there is no way to be patched.
    pub unpatchable: BTreeSet<u64>,
    /// Addresses of patched instructions. Kept when their mapping goes: a program may copy its code over itself.
    pub patched: BTreeSet<u64>,
    /// Where threads are known to wait in a loop.
    pub waiting: BTreeMap<u64, Place>,
    /// Of the program that it holds.
    pub life: Life,
}

impl Default for AddressSpace {
    fn default() -> Self {
        Self {
            maps: BTreeMap::new(),
            attachments: BTreeMap::new(),
            break_start: layout::BREAK_BASE,
            break_end: layout::BREAK_BASE,
            users: 1,
            committed: 0,
            locks_new: false,
            stubs: [0; layout::stubs::STARTS.len()],
            unpatchable: BTreeSet::new(),
            patched: BTreeSet::new(),
            waiting: BTreeMap::new(),
            life: Life::default(),
        }
    }
}

impl AddressSpace {
    /// All mappings in order of address.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Range, &Mapping)> {
        self.maps.iter().map(|(&start, (end, mapping))| (Range { start, end: *end }, mapping))
    }

    /// The mapping that holds an address.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<(Range, &Mapping)> {
        let (&start, (end, mapping)) = self.maps.range(..=address).next_back()?;
        (address < *end).then_some((Range { start, end: *end }, mapping))
    }

    /// Bytes from an address on that are mapped and allow this without a gap.
    #[must_use]
    pub fn allowed_from(&self, address: u64, what: Protection) -> u64 {
        let mut end = address;
        while let Some((range, mapping)) = self.at(end) {
            if !mapping.prot.contains(what) {
                break;
            }
            end = range.end;
        }
        end - address
    }

    /// Mappings that lie in a range, each cut to it.
    #[must_use]
    pub fn within(&self, range: Range) -> Vec<(Range, Mapping)> {
        let first = self.at(range.start).map_or(range.start, |(first, _)| first.start);
        self.maps
            .range(first..range.end)
            .filter_map(|(&start, (end, mapping))| {
                let part = range.intersect(Range { start, end: *end })?;
                Some((part, mapping.advanced(part.start - start)))
            })
            .collect()
    }

    /// Whether every page of a range is mapped.
    #[must_use]
    pub fn covers(&self, range: Range) -> bool {
        let mapped: u64 = self.within(range).iter().map(|(part, _)| part.len()).sum();
        mapped == range.len()
    }

    /// The highest free range of this length below the mapping area's top, its start aligned.
    ///
    /// # Errors
    /// `ENOMEM` when there is none.
    pub fn find_free(&self, len: u64, align: u64) -> Result<u64> {
        self.find_free_below(layout::MMAP_TOP, len, align)
    }

    /// As [`AddressSpace::find_free`], below another top.
    ///
    /// # Errors
    /// `ENOMEM` when there is none.
    pub fn find_free_below(&self, top: u64, len: u64, align: u64) -> Result<u64> {
        let fits = |low: u64, high: u64| {
            let start = high.checked_sub(len)? & !(align - 1);
            (start >= low).then_some(start)
        };
        let mut high = top;
        for (range, _) in
            self.maps.range(..top).rev().map(|(&start, (end, m))| (Range { start, end: *end }, m))
        {
            if let Some(start) = self.outside_simrun(range.end, high, fits) {
                return Ok(start);
            }
            high = high.min(range.start);
        }
        self.outside_simrun(layout::USER_START, high, fits)
            .ok_or(Error::new(Errno::ENOMEM, "no free address range"))
    }

    fn outside_simrun(
        &self,
        low: u64,
        high: u64,
        fits: impl Fn(u64, u64) -> Option<u64>,
    ) -> Option<u64> {
        if low >= high {
            return None;
        }
        if high > layout::OWN_START && low < layout::OWN_END {
            return fits(low.max(layout::OWN_END), high)
                .or_else(|| fits(low, high.min(layout::OWN_START)));
        }
        fits(low, high)
    }

    /// Notes a mapping, over what was there.
    pub fn insert(&mut self, range: Range, mapping: Mapping) {
        self.remove(range);
        self.committed += mapping.committed(range.len());
        let mut range = range;
        let mut mapping = mapping;
        if let Some((&start, (end, before))) = self.maps.range(..range.start).next_back()
            && *end == range.start
            && before.continues(*end - start, &mapping)
        {
            mapping = before.clone();
            range.start = start;
            self.take(start);
        }
        let after_start = range.end;
        if let Some((end, after)) = self.maps.get(&after_start)
            && mapping.continues(range.len(), after)
        {
            range.end = *end;
            self.take(after_start);
        }
        self.put(range, mapping);
    }

    fn put(&mut self, range: Range, mapping: Mapping) {
        if mapping.is_segment {
            *self.attachments.entry(mapping.object).or_default() += 1;
        }
        self.maps.insert(range.start, (range.end, mapping));
    }

    /// Takes the mapping with this start out, and gives its end with it.
    fn take(&mut self, start: u64) -> Option<(u64, Mapping)> {
        let (end, mapping) = self.maps.remove(&start)?;
        if mapping.is_segment
            && let Some(count) = self.attachments.get_mut(&mapping.object)
        {
            *count -= 1;
            if *count == 0 {
                self.attachments.remove(&mapping.object);
            }
        }
        Some((end, mapping))
    }

    /// How many mappings there are of a segment of System V shared memory.
    #[must_use]
    pub fn attachments_of(&self, object: u64) -> u64 {
        self.attachments.get(&object).copied().unwrap_or(0)
    }

    /// Forgets all mappings in a range and gives what they were.
    pub fn remove(&mut self, range: Range) -> Vec<(Range, Mapping)> {
        let removed = self.within(range);
        for (part, mapping) in &removed {
            self.committed -= mapping.committed(part.len());
            let (&start, _) =
                self.maps.range(..=part.start).next_back().expect("the part lies in a mapping");
            let (end, whole) = self.take(start).expect("just found");
            if start < part.start {
                self.put(Range { start, end: part.start }, whole.clone());
            }
            if end > part.end {
                let rest = whole.advanced(part.end - start);
                self.put(Range { start: part.end, end }, rest);
            }
        }
        removed
    }

    /// Forgets what a child does not get; for a copy of its parent's.
    pub fn leave_behind(&mut self) {
        let parts = self.iter().filter(|(_, mapping)| mapping.stays_behind);
        for range in parts.map(|(range, _)| range).collect::<Vec<_>>() {
            self.remove(range);
        }
        self.locks_new = false;
        self.unlock_all();
    }

    /// Nothing is locked any more.
    pub fn unlock_all(&mut self) {
        let parts = self.iter().filter(|(_, mapping)| mapping.is_locked);
        for range in parts.map(|(range, _)| range).collect::<Vec<_>>() {
            self.change(range, |mapping| mapping.is_locked = false);
        }
    }

    /// Bytes that are locked.
    #[must_use]
    pub fn locked(&self) -> u64 {
        let locked = self.iter().filter(|(_, mapping)| mapping.is_locked);
        locked.map(|(range, _)| range.len()).sum()
    }

    /// Notes a change of what is mapped in a range; unmapped parts stay so.
    pub fn change(&mut self, range: Range, change: impl Fn(&mut Mapping)) {
        for (part, mut mapping) in self.remove(range) {
            change(&mut mapping);
            self.insert(part, mapping);
        }
    }

    /// Where a shared object's byte at this offset is mapped.
    #[must_use]
    pub fn address_of_object(&self, object: u64, offset: u64) -> Option<u64> {
        self.iter().find_map(|(range, mapping)| {
            let into = offset.checked_sub(mapping.offset)?;
            (mapping.object == object && into < range.len()).then_some(range.start + into)
        })
    }

    /// Where a file's bytes are mapped, by its inode number.
    pub fn of_file(&self, inode: u64) -> impl Iterator<Item = (Range, &Mapping)> {
        self.iter().filter(move |(_, mapping)| mapping.inode == inode && !mapping.is_segment)
    }

    /// Total length of all mappings in bytes.
    #[must_use]
    pub fn mapped(&self) -> u64 {
        self.iter().map(|(range, _)| range.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> Range {
        Range { start: start * PAGE_SIZE, end: end * PAGE_SIZE }
    }

    fn file(offset: u64) -> Mapping {
        let mapping = Mapping::anonymous(Protection::READ, MapFlags::PRIVATE, b"/lib/x");
        Mapping { offset: offset * PAGE_SIZE, inode: 7, ..mapping }
    }

    fn shape(space: &AddressSpace) -> Vec<(u64, u64, u64)> {
        space
            .iter()
            .map(|(r, m)| (r.start / PAGE_SIZE, r.end / PAGE_SIZE, m.offset / PAGE_SIZE))
            .collect()
    }

    #[test]
    fn cutting_a_hole_keeps_file_offsets() {
        let mut space = AddressSpace::default();
        space.insert(range(10, 20), file(5));
        let removed = space.remove(range(13, 15));
        assert_eq!(removed, [(range(13, 15), file(8))]);
        assert_eq!(shape(&space), [(10, 13, 5), (15, 20, 10)]);
        space.insert(range(13, 15), file(8));
        assert_eq!(shape(&space), [(10, 20, 5)]);
    }

    #[test]
    fn alike_anonymous_neighbours_become_one() {
        let mut space = AddressSpace::default();
        let memory =
            || Mapping::anonymous(Protection::READ | Protection::WRITE, MapFlags::PRIVATE, b"");
        space.insert(range(1, 2), memory());
        space.insert(range(3, 9), memory());
        space.insert(range(2, 3), memory());
        assert_eq!(shape(&space), [(1, 9, 0)]);
        assert_eq!(space.committed, 8 * PAGE_SIZE);
        space.change(range(4, 5), |mapping| mapping.prot = Protection::empty());
        assert_eq!(shape(&space), [(1, 4, 0), (4, 5, 0), (5, 9, 0)]);
        assert_eq!(space.committed, 7 * PAGE_SIZE);
    }

    #[test]
    fn free_ranges_are_found_from_the_top_and_never_in_simrun() {
        let mut space = AddressSpace::default();
        let first = space.find_free(PAGE_SIZE, PAGE_SIZE).unwrap();
        assert_eq!(first, layout::MMAP_TOP - PAGE_SIZE);
        space.insert(Range { start: first, end: layout::MMAP_TOP }, file(0));
        assert_eq!(space.find_free(2 * PAGE_SIZE, PAGE_SIZE).unwrap(), first - 2 * PAGE_SIZE);
        space.insert(Range { start: layout::OWN_END, end: first }, file(0));
        assert_eq!(space.find_free(PAGE_SIZE, PAGE_SIZE).unwrap(), layout::OWN_START - PAGE_SIZE);
        assert_eq!(space.find_free(1 << 50, PAGE_SIZE).unwrap_err().errno, Errno::ENOMEM);
    }
}
