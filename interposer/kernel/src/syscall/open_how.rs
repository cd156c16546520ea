//! openat2(2).

use bytemuck::{Pod, Zeroable};

use super::{extensible, open::open_at, path::Origin};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::OpenFlags,
    fs::Resolve,
    outcome::Outcome,
};

/// `struct open_how`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// What may stand beside `O_PATH` (`O_PATH_FLAGS`).
const WITH_PATH: OpenFlags = OpenFlags::PATH
    .union(OpenFlags::DIRECTORY)
    .union(OpenFlags::NO_FOLLOW)
    .union(OpenFlags::CLOSE_ON_EXEC);

/// openat2(2): as openat(2), but what is not understood is refused (`build_open_flags` in fs/open.c).
pub fn openat2(
    cx: &mut Context<'_>,
    [directory, path, how, size, ..]: [u64; 6],
) -> Result<Outcome> {
    let how: How = extensible::read(cx, how, size, size_of::<How>())?;
    let flags = u32::try_from(how.flags).ok().and_then(OpenFlags::from_bits);
    let flags = flags.ok_or(Errno::EINVAL)?;
    let resolve = u32::try_from(how.resolve).ok().and_then(Resolve::from_bits);
    let resolve = resolve.filter(|resolve| !resolve.intersects(Resolve::OWN));
    let resolve = resolve.ok_or(Errno::EINVAL)?;
    let makes = flags.intersects(OpenFlags::CREATE | OpenFlags::TEMPORARY);
    let mode_fits = if makes { how.mode & !0o7777 == 0 } else { how.mode == 0 };
    let path_fits = !flags.contains(OpenFlags::PATH) || WITH_PATH.contains(flags);
    if !mode_fits || !path_fits || resolve.contains(Resolve::BENEATH | Resolve::IN_ROOT) {
        return Err(Errno::EINVAL.into());
    }
    if resolve.contains(Resolve::CACHED)
        && flags.intersects(OpenFlags::TRUNCATE | OpenFlags::CREATE | OpenFlags::TEMPORARY)
    {
        return Err(Errno::EAGAIN.into());
    }
    open_at(cx, Origin { directory, resolve }, path, flags, how.mode as u32)
}
