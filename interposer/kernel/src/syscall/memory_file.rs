//! Files of memory: memfd_create(2).

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{File, FileDescription, OpenFlags, RegularFile},
    outcome::Outcome,
    user,
};

/// Longest name.
const NAME_MAX: usize = 249;

/// memfd_create(2).
pub fn memfd_create(cx: &mut Context<'_>, [name, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = flags as u32;
    let known = raw::MFD_CLOEXEC | raw::MFD_ALLOW_SEALING | raw::MFD_NOEXEC_SEAL | raw::MFD_EXEC;
    let both = raw::MFD_NOEXEC_SEAL | raw::MFD_EXEC;
    let is_huge = flags & raw::MFD_HUGETLB != 0;
    let of_huge =
        if is_huge { raw::MFD_HUGETLB | raw::MFD_HUGE_MASK << raw::MFD_HUGE_SHIFT } else { 0 };
    if flags & !(known | of_huge) != 0 || flags & both == both {
        return Err(Errno::EINVAL.into());
    }
    let name = user::read_c_string(cx.host, name, NAME_MAX).map_err(|error| {
        if error.errno == Errno::ENAMETOOLONG { Errno::EINVAL.into() } else { error }
    })?;
    if is_huge {
        return Err(Error::new(Errno::ENODEV, "there are no huge pages"));
    }
    let host = cx.host.memory_file(&name)?;
    let seals = match flags {
        _ if flags & raw::MFD_NOEXEC_SEAL != 0 => raw::F_SEAL_EXEC,
        _ if flags & raw::MFD_ALLOW_SEALING != 0 => 0,
        _ => raw::F_SEAL_SEAL,
    };
    let tree = cx.env().tree();
    let inode = tree.nameless(host, 0, seals, cx.env().file_time());
    // As on Linux, its maker may execute it all the same.
    let file = RegularFile::open(&tree, cx.host, inode, OpenFlags::empty())?;
    let path = [b"/memfd:", name.as_slice(), crate::fs::tree::DELETED].concat();
    let flags_open = OpenFlags::READ_WRITE | OpenFlags::LARGE;
    let description = FileDescription::new(File::Regular(file), flags_open, &path);
    cx.add_descriptor(description, flags & raw::MFD_CLOEXEC != 0).map(Outcome::Done)
}
