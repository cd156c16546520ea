//! Unix sockets in the file tree.

use linux_raw_sys::general::{S_IFMT, S_IFSOCK};

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    fs::{Last, Place, tree::change},
    host::Follow,
    net::address::{Address, Inode, UnixName},
    syscall::path::HERE,
};

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o777;

/// Makes the socket file that an address to bind to names, and notes which it is.
pub(super) fn create(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let found = cx.walk(HERE, &path, Follow::No)?;
    let place = match (found.place, found.last) {
        (Place::Host(place), Last::Name) => place,
        (Place::Host(place), Last::NameAndSlash) if cx.host.stat(&place, Follow::No).is_err() => {
            return Err(Errno::ENOENT.into());
        }
        (Place::View(_, None), _) => return Err(Errno::ENOENT.into()),
        _ => return Err(Errno::EADDRINUSE.into()),
    };
    let mode = S_IFSOCK | PERMISSIONS & !cx.process().fs.borrow().umask;
    change::make_node(&mut cx.env(), &place, mode).map_err(|error| match error.errno {
        Errno::EEXIST => Errno::EADDRINUSE.into(),
        _ => error,
    })?;
    let inode = inode(cx, &place)?;
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}

/// Notes which file an address to reach names.
pub(super) fn find(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let place = match cx.walk(HERE, &path, Follow::Yes)?.place {
        Place::Host(place) => place,
        Place::View(_, None) => return Err(Errno::ENOENT.into()),
        Place::View(..) | Place::Description(_) => {
            return Err(Error::new(Errno::ECONNREFUSED, "this is no socket"));
        }
    };
    let inode = inode(cx, &place)?;
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}

fn inode(cx: &mut Context<'_>, place: &[u8]) -> Result<Inode> {
    let stat = cx.host.stat(place, Follow::No)?;
    if stat.mode & S_IFMT != S_IFSOCK {
        return Err(Errno::ECONNREFUSED.into());
    }
    Ok(Inode { device: stat.dev, number: stat.ino })
}
