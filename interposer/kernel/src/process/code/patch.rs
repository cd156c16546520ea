//! Patching mapped code.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use simrun_abi::{
    boot::{SearchedFile, WaitingLoop},
    event::{Event, What},
};

use super::{
    find::{Site, find},
    instruction::{OPCODE, PATCHED_SECOND, Trapping},
};
use crate::{
    arch::x86_64::Branch,
    error::Result,
    host::{Host, HostFd},
    mm::{AddressSpace, Protection, Range},
    spin::Place,
    uapi::limits::PAGE_SIZE,
};

/// An instruction that the processor refuses, no longer than any jump.
pub const INVALID: [u8; 2] = [OPCODE[0], PATCHED_SECOND];

/// What tells one state of a file from another.
type Identity = (u64, u64, u64, i64);

/// What was found in the files whose code was mapped. A file is searched once.
#[derive(Debug)]
pub struct CodeFiles {
    sites: BTreeMap<Identity, Rc<[Site]>>,
    waiting: Vec<WaitingLoop>,
}

impl CodeFiles {
    /// These loops known, and these files searched before.
    #[must_use]
    pub fn new(waiting: &[WaitingLoop], searched: &[SearchedFile]) -> Self {
        let known = |file: &SearchedFile| {
            let identity = (file.device, file.inode, file.size, file.modified_ns);
            let site = |&(offset, patched_at)| Site { offset, patched_at };
            (identity, file.sites.iter().map(site).collect())
        };
        Self { sites: searched.iter().map(known).collect(), waiting: waiting.to_vec() }
    }

    fn sites(&mut self, host: &mut dyn Host, fd: HostFd) -> Result<Rc<[Site]>> {
        let stat = host.fstat(fd)?;
        let identity = (stat.dev, stat.ino, stat.size, stat.mtime_ns);
        if let Some(known) = self.sites.get(&identity) {
            return Ok(Rc::clone(known));
        }
        let found: Rc<[Site]> = find(host, fd).unwrap_or_else(|_| Vec::new()).into();
        self.sites.insert(identity, Rc::clone(&found));
        // One without a name will not be met again.
        if stat.nlink > 0 {
            tell(host, identity, &found);
        }
        Ok(found)
    }
}

/// Lets later runs know what was found.
fn tell(host: &mut dyn Host, (device, inode, size, modified_ns): Identity, found: &[Site]) {
    let sites = found.iter().map(|site| (site.offset, site.patched_at)).collect();
    let file = SearchedFile { device, inode, size, modified_ns, sites };
    let event =
        Event { number: 0, time_ns: 0, node: 0, pid: 0, tid: 0, what: What::Searched { file } };
    host.emit(&event.encode());
}

/// Patches what has to be in code of a file that was just mapped privately, from an offset of the file.
pub fn take_over(
    host: &mut dyn Host,
    files: &mut CodeFiles,
    space: &mut AddressSpace,
    range: Range,
    prot: Protection,
    (fd, offset): (HostFd, u64),
) {
    // A file that cannot be read or patched runs as it is: its mapping has succeeded.
    let Ok(sites) = files.sites(host, fd) else { return };
    for site in sites.iter() {
        let Some(place) = site.offset.checked_sub(offset).map(|distance| range.start + distance)
        else {
            continue;
        };
        if place + site.patched_at < range.end
            && Trapping::stands_at(host, place, site.patched_at)
            && overwrite(host, place + site.patched_at, prot, &[PATCHED_SECOND]).is_ok()
        {
            space.patched.insert(place);
        }
    }
    patch_loops(host, &files.waiting, space, range, prot, (fd, offset));
}

/// Patches the jumps of known loops that wait.
fn patch_loops(
    host: &mut dyn Host,
    loops: &[WaitingLoop],
    space: &mut AddressSpace,
    range: Range,
    prot: Protection,
    (fd, offset): (HostFd, u64),
) {
    if loops.is_empty() {
        return;
    }
    let Ok(stat) = host.fstat(fd) else { return };
    for known in loops.iter().filter(|known| (known.device, known.inode) == (stat.dev, stat.ino)) {
        let Some(place) = known.offset.checked_sub(offset).map(|into| range.start + into) else {
            continue;
        };
        let mut code = [0; Branch::LEN_MAX];
        if place + Branch::LEN_MAX as u64 > range.end || host.read_user(place, &mut code).is_err() {
            continue;
        }
        let Some(branch) = Branch::decode(&code) else { continue };
        if overwrite(host, place, prot, &INVALID).is_ok() {
            space.waiting.insert(place, Place::given(branch, [code[0], code[1]]));
        }
    }
}

/// Writes over code that is mapped with this protection.
///
/// # Errors
/// What the host says.
pub fn overwrite(host: &mut dyn Host, address: u64, prot: Protection, bytes: &[u8]) -> Result<()> {
    if host.overwrite_code(address, bytes).is_ok() {
        return Ok(());
    }
    let page = address & !(PAGE_SIZE - 1);
    let len = (address + bytes.len() as u64 - page).next_multiple_of(PAGE_SIZE);
    host.protect(page, len, prot | Protection::WRITE)?;
    let written = host.write_user(address, bytes);
    host.protect(page, len, prot)?;
    Ok(written?)
}
