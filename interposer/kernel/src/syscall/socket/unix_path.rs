//! Unix sockets in the file tree.

use linux_raw_sys::general::S_IFSOCK;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    fs::{
        Body, Last, Place, Spot,
        access::{self, Access},
        tree::change,
    },
    host::Follow,
    net::address::{Address, Inode, UnixName},
    syscall::path::HERE,
    uapi::stat::FileKind,
};

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o777;

/// Makes the socket file that an address to bind to names, and notes which it is.
pub(super) fn create(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let found = cx.walk(HERE, &path, Follow::No)?;
    let spot = match (found.place, found.last) {
        (Place::Tree(spot), Last::Name) => spot,
        (Place::Tree(Spot { file: None, .. }), Last::NameAndSlash) => {
            return Err(Errno::ENOENT.into());
        }
        (Place::View(_, None), _) => return Err(Errno::ENOENT.into()),
        _ => return Err(Errno::EADDRINUSE.into()),
    };
    let mode = S_IFSOCK | PERMISSIONS & !cx.process().fs.borrow().umask;
    let caller = cx.caller();
    let made = change::make(&mut cx.env(), &caller, &spot, mode, Body::Special);
    let file = made.map_err(|error| match error.errno {
        Errno::EEXIST => Errno::EADDRINUSE.into(),
        _ => error,
    })?;
    let inode = Inode { device: file.device, number: file.number };
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}

/// Notes which file an address to reach names.
pub(super) fn find(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let spot = match cx.walk(HERE, &path, Follow::Yes)?.place {
        Place::Tree(spot) => spot,
        Place::View(_, None) => return Err(Errno::ENOENT.into()),
        Place::View(..) | Place::Description(_) => {
            return Err(Error::new(Errno::ECONNREFUSED, "this is no socket"));
        }
    };
    let file = spot.existing()?;
    let caller = cx.caller();
    access::check(&caller, file, Access::WRITE)?;
    if file.kind() != FileKind::Socket {
        return Err(Errno::ECONNREFUSED.into());
    }
    let inode = Inode { device: file.device, number: file.number };
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}
