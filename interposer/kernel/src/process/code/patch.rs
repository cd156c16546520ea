//! Patching mapped code.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use super::{
    find::{Site, find},
    instruction::PATCHED_SECOND,
};
use crate::{
    error::Result,
    host::{Host, HostFd},
    mm::{AddressSpace, Protection, Range},
    uapi::limits::PAGE_SIZE,
};

/// What tells one state of a file from another.
type Identity = (u64, u64, u64, i64);

/// What was found in the files whose code was mapped. A file is searched once.
#[derive(Debug, Default)]
pub struct CodeFiles {
    sites: BTreeMap<Identity, Rc<[Site]>>,
}

impl CodeFiles {
    fn sites(&mut self, host: &mut dyn Host, fd: HostFd) -> Result<Rc<[Site]>> {
        let stat = host.fstat(fd)?;
        let identity = (stat.dev, stat.ino, stat.size, stat.mtime_ns);
        if let Some(known) = self.sites.get(&identity) {
            return Ok(Rc::clone(known));
        }
        let found: Rc<[Site]> = find(host, fd).unwrap_or_else(|_| Vec::new()).into();
        self.sites.insert(identity, Rc::clone(&found));
        Ok(found)
    }
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
        if place + site.patched_at < range.end && patch(host, place + site.patched_at, prot).is_ok()
        {
            space.patched.insert(place);
        }
    }
}

fn patch(host: &mut dyn Host, address: u64, prot: Protection) -> Result<()> {
    let page = address & !(PAGE_SIZE - 1);
    host.protect(page, PAGE_SIZE, prot | Protection::WRITE)?;
    let written = host.write_user(address, &[PATCHED_SECOND]);
    host.protect(page, PAGE_SIZE, prot)?;
    Ok(written?)
}
