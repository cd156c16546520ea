//! A host for whole simulations: files of a [`FakeHost`], and real user memory for every process.

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use super::FakeHost;
use crate::{
    host::{
        Backing, Fault, FileCall, Follow, Host, HostEntry, HostFd, HostResult, HostStat,
        ProgramPlaces,
    },
    mm::{MapFlags, Protection, SpaceId},
    uapi::limits::PAGE_SIZE,
    user::UserSlice,
};

const PAGE: usize = PAGE_SIZE as usize;
/// Most bytes of a file that show when it is mapped.
const MAPPED_MAX: u64 = 1 << 20;
/// Legacy area, header and the upper halves of the vector registers (Intel SDM volume 1, 13.4).
const EXTENDED_STATE_SIZE: usize = 512 + 64 + 256;

/// The memory of one process: what is mapped, and those of its pages that were written.
#[derive(Clone, Default)]
struct Memory {
    /// End and protection of mapped ranges, by start.
    ranges: BTreeMap<u64, (u64, Protection)>,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Memory {
    fn clear(&mut self, start: u64, end: u64) {
        let touched: Vec<_> = self
            .ranges
            .range(..end)
            .filter(|(_, (range_end, _))| *range_end > start)
            .map(|(&at, &(range_end, prot))| (at, range_end, prot))
            .collect();
        for (at, range_end, prot) in touched {
            self.ranges.remove(&at);
            if at < start {
                self.ranges.insert(at, (start, prot));
            }
            if range_end > end {
                self.ranges.insert(end, (range_end, prot));
            }
        }
    }

    fn unmap(&mut self, start: u64, end: u64) {
        self.clear(start, end);
        let mut rest = self.pages.split_off(&(start / PAGE_SIZE));
        self.pages.append(&mut rest.split_off(&end.div_ceil(PAGE_SIZE)));
    }

    fn allows(&self, address: u64, wanted: Protection) -> bool {
        let range = self.ranges.range(..=address).next_back();
        range.is_some_and(|(_, &(end, prot))| address < end && prot.contains(wanted))
    }

    /// Calls `f` with the part of each page that a range touches.
    fn each_page(
        &mut self,
        address: u64,
        len: usize,
        wanted: Protection,
        mut f: impl FnMut(&mut [u8], usize),
    ) -> Result<(), Fault> {
        let mut done = 0;
        while done < len {
            let at = address.checked_add(done as u64).ok_or(Fault)?;
            if !self.allows(at, wanted) {
                return Err(Fault);
            }
            let inside = (at % PAGE_SIZE) as usize;
            let part = (PAGE - inside).min(len - done);
            let page = self.pages.entry(at / PAGE_SIZE).or_insert_with(|| Box::new([0; PAGE]));
            f(&mut page[inside..inside + part], done);
            done += part;
        }
        Ok(())
    }
}

/// A host for whole simulations.
pub struct FakeMachine {
    /// Its files.
    pub files: FakeHost,
    memories: BTreeMap<SpaceId, Memory>,
    /// Memory before the first process has a name for it.
    first: Memory,
    /// The process that runs.
    here: Option<SpaceId>,
    extended_state: Vec<u8>,
    bases: (u64, u64),
    memory_files: u32,
}

impl FakeMachine {
    /// With these files; see [`FakeHost::with_files`].
    #[must_use]
    pub fn new(files: &[&str]) -> Self {
        Self {
            files: FakeHost::with_files(files),
            memories: BTreeMap::new(),
            first: Memory::default(),
            here: None,
            extended_state: vec![0; EXTENDED_STATE_SIZE],
            bases: (0, 0),
            memory_files: 0,
        }
    }

    /// The process that runs from now on. The first gets the memory that was mapped before.
    pub fn switch(&mut self, to: SpaceId) {
        if self.here.is_none() {
            self.memories.insert(to, core::mem::take(&mut self.first));
        }
        self.here = Some(to);
    }

    /// The process that runs is gone.
    pub fn leave(&mut self, to: SpaceId) {
        if let Some(here) = self.here.replace(to) {
            self.memories.remove(&here);
        }
    }

    /// Copies the memory of the process that runs.
    pub fn fork(&mut self, to: SpaceId) {
        let copy = self.memory().clone();
        self.memories.insert(to, copy);
    }

    fn memory(&mut self) -> &mut Memory {
        match self.here {
            Some(here) => self.memories.entry(here).or_default(),
            None => &mut self.first,
        }
    }
}

impl Host for FakeMachine {
    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.memory().each_page(address, into.len(), Protection::READ, |page, done| {
            into[done..done + page.len()].copy_from_slice(page);
        })
    }

    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.memory().each_page(address, bytes.len(), Protection::WRITE, |page, done| {
            page.copy_from_slice(&bytes[done..done + page.len()]);
        })
    }

    fn extended_state(&mut self) -> &mut [u8] {
        &mut self.extended_state
    }

    fn reset_extended_state(&mut self) {
        self.extended_state.fill(0);
    }

    fn segment_bases(&mut self) -> (u64, u64) {
        self.bases
    }

    fn set_segment_bases(&mut self, fs: u64, gs: u64) {
        self.bases = (fs, gs);
    }

    fn map(
        &mut self,
        at: u64,
        len: u64,
        prot: Protection,
        _: MapFlags,
        backing: Backing,
    ) -> HostResult<()> {
        let contents = match backing {
            Backing::File(fd, offset) => {
                let mut contents = vec![0; len.min(MAPPED_MAX) as usize];
                let read = self.files.pread(fd, &mut contents, offset)?;
                contents.truncate(read);
                contents
            }
            Backing::Anonymous => Vec::new(),
        };
        let end = at + len.next_multiple_of(PAGE_SIZE);
        let memory = self.memory();
        memory.unmap(at, end);
        memory.ranges.insert(at, (end, prot | Protection::WRITE));
        let written = self.write_user(at, &contents);
        written.expect("it was just mapped");
        self.memory().ranges.insert(at, (end, prot));
        Ok(())
    }

    fn unmap(&mut self, at: u64, len: u64) -> HostResult<()> {
        self.memory().unmap(at, at + len);
        Ok(())
    }

    fn protect(&mut self, at: u64, len: u64, prot: Protection) -> HostResult<()> {
        let end = at + len.next_multiple_of(PAGE_SIZE);
        let memory = self.memory();
        memory.clear(at, end);
        memory.ranges.insert(at, (end, prot));
        Ok(())
    }

    fn remap(
        &mut self,
        from: u64,
        old_len: u64,
        to: u64,
        new_len: u64,
        keep_old: bool,
    ) -> HostResult<()> {
        let memory = self.memory();
        let prot = memory.ranges.range(..=from).next_back().map(|(_, &(_, prot))| prot);
        let (first, last) = (from / PAGE_SIZE, (from + old_len).div_ceil(PAGE_SIZE));
        let moved: Vec<_> = memory
            .pages
            .range(first..last)
            .map(|(&page, bytes)| (page - first, bytes.clone()))
            .collect();
        if !keep_old {
            memory.unmap(from, from + old_len);
        }
        memory.unmap(to, to + new_len);
        memory.ranges.insert(to, (to + new_len, prot.unwrap_or(Protection::READ)));
        let fits = |page: &u64| *page < new_len.div_ceil(PAGE_SIZE);
        memory.pages.extend(
            moved
                .into_iter()
                .filter(|(page, _)| fits(page))
                .map(|(page, bytes)| (to / PAGE_SIZE + page, bytes)),
        );
        Ok(())
    }

    fn advise(&mut self, _: u64, _: u64, _: i32) -> HostResult<()> {
        Ok(())
    }

    fn sync_memory(&mut self, _: u64, _: u64, _: i32) -> HostResult<()> {
        Ok(())
    }

    fn unmap_program(&mut self) {
        *self.memory() = Memory::default();
    }

    fn describe_program(&mut self, _: &ProgramPlaces<'_>) {}

    fn call_entry(&self) -> u64 {
        0
    }

    fn traps_at(&mut self, _: u64) -> u64 {
        1
    }

    fn open(&mut self, path: &[u8], flags: u32, mode: u32) -> HostResult<HostFd> {
        self.files.open(path, flags, mode)
    }

    fn close(&mut self, fd: HostFd) {
        self.files.close(fd);
    }

    fn pread_user(&mut self, fd: HostFd, into: UserSlice, offset: u64) -> HostResult<usize> {
        let mut buffer = vec![0; into.len.min(MAPPED_MAX as usize)];
        let len = self.files.pread(fd, &mut buffer, offset)?;
        let written = self.write_user(into.address, &buffer[..len]);
        written.map_err(|_| crate::error::Errno::EFAULT)?;
        Ok(len)
    }

    fn pwrite_user(&mut self, fd: HostFd, from: UserSlice, offset: u64) -> HostResult<usize> {
        let mut buffer = vec![0; from.len.min(MAPPED_MAX as usize)];
        let read = self.read_user(from.address, &mut buffer);
        read.map_err(|_| crate::error::Errno::EFAULT)?;
        self.files.pwrite(fd, &buffer, offset)
    }

    fn pread(&mut self, fd: HostFd, into: &mut [u8], offset: u64) -> HostResult<usize> {
        self.files.pread(fd, into, offset)
    }

    fn pwrite(&mut self, fd: HostFd, from: &[u8], offset: u64) -> HostResult<usize> {
        self.files.pwrite(fd, from, offset)
    }

    fn read_stream(&mut self, fd: HostFd, into: &mut [u8]) -> HostResult<usize> {
        self.files.read_stream(fd, into)
    }

    fn write_stream(&mut self, fd: HostFd, from: &[u8]) -> HostResult<usize> {
        self.files.write_stream(fd, from)
    }

    fn stat(&mut self, path: &[u8], follow: Follow) -> HostResult<HostStat> {
        self.files.stat(path, follow)
    }

    fn fstat(&mut self, fd: HostFd) -> HostResult<HostStat> {
        self.files.fstat(fd)
    }

    fn read_link(&mut self, path: &[u8]) -> HostResult<Vec<u8>> {
        self.files.read_link(path)
    }

    fn read_directory(
        &mut self,
        fd: HostFd,
        each: &mut dyn FnMut(HostEntry<'_>),
    ) -> HostResult<()> {
        self.files.read_directory(fd, each)
    }

    fn memory_file(&mut self, _: &[u8]) -> HostResult<HostFd> {
        self.memory_files += 1;
        let path = alloc::format!("/memory/{}", self.memory_files);
        self.files.open(path.as_bytes(), linux_raw_sys::general::O_CREAT, 0o600)
    }

    fn file_call(&mut self, call: FileCall<'_>) -> HostResult<u64> {
        self.files.file_call(call)
    }

    fn emit(&mut self, event: &[u8]) {
        self.files.emit(event);
    }
}
