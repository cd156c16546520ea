//! Mappings of files of the host that the run changes later.
//!
//! A mapping shows what is written to its file afterwards; Linux lets even a private one do so, where its pages have not
//! been copied (mmap(2)). An unchanged file is mapped as the host has it, and costs nothing. When the run writes to
//! it, its bytes move to a memory file, which takes the host file's place in every mapping: of other processes when they
//! run next.

use alloc::{rc::Rc, vec::Vec};

use super::Kernel;
use crate::{
    fs::Inode,
    host::{Backing, Host, HostFd, HostResult},
    machine::Env,
    mm::{MapFlags, Mapping, Protection, Range, SpaceId},
    uapi::limits::PAGE_SIZE,
};

/// A file that has moved, and the address spaces that still show where it was.
pub(crate) struct Renewal {
    file: Rc<Inode>,
    spaces: Vec<SpaceId>,
}

/// Most bytes that are carried from one mapping to the other at a time.
const CARRIED_MAX: u64 = 64 << 10;
/// Entries of the page map that are read at a time.
const ENTRIES: usize = 512;
/// Bits of an entry of the page map: a page of the file, and not a copy; swapped out; present (proc_pid_pagemap(5)).
const OF_FILE: u64 = 1 << 61;
const SWAPPED: u64 = 1 << 62;
const PRESENT: u64 = 1 << 63;

impl Kernel {
    /// Whether mappings show what files have been.
    pub(super) fn has_renewals(&self) -> bool {
        !self.renewals.is_empty() || self.machine.tree.moved.is_any()
    }

    /// Lets the mappings of this host process show what files have become.
    pub(super) fn renew_mappings(&mut self, host: &mut dyn Host, here: SpaceId) {
        for file in self.machine.tree.moved.take() {
            let shows = |space: SpaceId| {
                self.spaces
                    .get(space)
                    .is_some_and(|space| space.of_file(file.number).next().is_some())
            };
            let spaces = self.spaces.iter().map(|(id, _)| id).filter(|&id| shows(id)).collect();
            if let Some(contents) = file.contents() {
                contents.hold();
                self.renewals.push(Renewal { file, spaces });
            }
        }
        for mut renewal in core::mem::take(&mut self.renewals) {
            if renewal.spaces.contains(&here) {
                self.renew(host, here, &renewal.file);
            }
            renewal.spaces.retain(|&space| space != here && self.spaces.get(space).is_some());
            if renewal.spaces.is_empty() {
                Env { machine: &mut self.machine, host }.let_go(&renewal.file);
            } else {
                self.renewals.push(renewal);
            }
        }
    }

    fn renew(&mut self, host: &mut dyn Host, here: SpaceId, file: &Inode) {
        let (Some(space), Some(contents)) = (self.spaces.get(here), file.contents()) else {
            return;
        };
        let parts: Vec<_> =
            space.of_file(file.number).map(|(range, mapping)| (range, mapping.clone())).collect();
        let renewed = parts.iter().try_for_each(|(range, mapping)| {
            // Code stays what it was when it was searched and patched.
            let is_private = !mapping.flags.contains(MapFlags::SHARED);
            if is_private && mapping.prot.contains(Protection::EXEC) {
                return Ok(());
            }
            let memory = contents.memory().ok_or(crate::error::Errno::EIO)?;
            if is_private {
                renew_private(host, memory, *range, mapping)
            } else {
                map(host, memory, *range, mapping)
            }
        });
        if let Err(errno) = renewed {
            let path = parts.first().map_or(&b""[..], |(_, mapping)| &mapping.name);
            let what =
                alloc::format!("a mapping of {}", alloc::string::String::from_utf8_lossy(path));
            let effect =
                alloc::format!("it does not show what was written later: {}", errno.name());
            self.machine.escape(host, &what, "simrun", &effect);
        }
    }
}

/// Maps part of a file in place of what is there.
fn map(host: &mut dyn Host, file: HostFd, range: Range, mapping: &Mapping) -> HostResult<()> {
    let flags = mapping.flags - MapFlags::ANONYMOUS;
    host.map(range.start, range.len(), mapping.prot, flags, Backing::File(file, mapping.offset))
}

/// Maps part of a file in place of what is there, but for the pages that are copies: they stay copies.
fn renew_private(
    host: &mut dyn Host,
    file: HostFd,
    range: Range,
    mapping: &Mapping,
) -> HostResult<()> {
    let runs = runs(host, range)?;
    for (run, is_copy) in runs {
        let offset = mapping.offset + (run.start - range.start);
        let part = Mapping { offset, ..mapping.clone() };
        if is_copy {
            carry_over(host, file, run, &part)?;
        } else {
            map(host, file, run, &part)?;
        }
    }
    Ok(())
}

/// As [`map`], and then copies what was there.
fn carry_over(host: &mut dyn Host, file: HostFd, run: Range, mapping: &Mapping) -> HostResult<()> {
    let open = Protection::READ | Protection::WRITE;
    let mut start = run.start;
    while start < run.end {
        let part = Range { start, end: run.end.min(start + CARRIED_MAX) };
        let mut bytes = alloc::vec![0; part.len() as usize];
        host.protect(part.start, part.len(), open)?;
        if host.read_user(part.start, &mut bytes).is_ok() {
            let offset = mapping.offset + (part.start - run.start);
            map(host, file, part, &Mapping { prot: open, offset, ..mapping.clone() })?;
            for (page, bytes) in
                (part.start..).step_by(PAGE_SIZE as usize).zip(bytes.chunks(PAGE_SIZE as usize))
            {
                // Behind the end of the file there is nothing to write to, and nothing left of a copy.
                let _ = host.write_user(page, bytes);
            }
        }
        host.protect(part.start, part.len(), mapping.prot)?;
        start = part.end;
    }
    Ok(())
}

/// The parts of a private mapping of a file, and which of them are copies.
fn runs(host: &mut dyn Host, range: Range) -> HostResult<Vec<(Range, bool)>> {
    let page_map = host.open(b"/proc/self/pagemap", linux_raw_sys::general::O_RDONLY, 0)?;
    let mut runs: Vec<(Range, bool)> = Vec::new();
    let mut start = range.start;
    let mut result = Ok(());
    while start < range.end {
        let mut entries = [0; ENTRIES * 8];
        let wanted = ((range.end - start) / PAGE_SIZE).min(ENTRIES as u64) as usize;
        match host.pread(page_map, &mut entries[..wanted * 8], start / PAGE_SIZE * 8) {
            Ok(0) => result = Err(crate::error::Errno::EIO),
            Ok(_) => {}
            Err(errno) => result = Err(errno),
        }
        if result.is_err() {
            break;
        }
        for entry in entries[..wanted * 8].chunks_exact(8) {
            let entry = u64::from_ne_bytes(entry.try_into().unwrap_or_default());
            let is_copy = entry & (PRESENT | SWAPPED) != 0 && entry & OF_FILE == 0;
            let end = start + PAGE_SIZE;
            match runs.last_mut() {
                Some((run, was_copy)) if *was_copy == is_copy => run.end = end,
                _ => runs.push((Range { start, end }, is_copy)),
            }
            start = end;
        }
    }
    host.close(page_map);
    result.map(|()| runs)
}
