//! Unix sockets in the file tree.

use linux_raw_sys::general::{__NR_mknod, S_IFMT, S_IFSOCK};

use crate::{
    context::Context,
    error::{Errno, Result},
    fs,
    host::{FileArgument, FileCall, Follow},
    net::address::{Address, Inode, UnixName},
};

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o777;

fn absolute(cx: &mut Context<'_>, path: &[u8]) -> alloc::vec::Vec<u8> {
    let directory = cx.process().fs.borrow().directory.clone();
    fs::join(&directory, path)
}

/// Makes the socket file that an address to bind to names, and notes which it is.
pub(super) fn create(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let place = absolute(cx, &path);
    let umask = cx.process().fs.borrow().umask;
    let mode = S_IFSOCK | PERMISSIONS & !umask;
    let arguments = [
        FileArgument::String(&place),
        FileArgument::Number(u64::from(mode)),
        FileArgument::Number(0),
        FileArgument::None,
        FileArgument::None,
        FileArgument::None,
    ];
    cx.host.file_call(FileCall { number: __NR_mknod, arguments }).map_err(|errno| match errno {
        Errno::EEXIST => Errno::EADDRINUSE,
        other => other,
    })?;
    let inode = inode(cx, &place)?;
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}

/// Notes which file an address to reach names.
pub(super) fn find(cx: &mut Context<'_>, address: Address) -> Result<Address> {
    let Address::Unix(Some(UnixName::Path { path, .. })) = address else { return Ok(address) };
    let place = absolute(cx, &path);
    let inode = inode(cx, &place)?;
    Ok(Address::Unix(Some(UnixName::Path { path, inode: Some(inode) })))
}

fn inode(cx: &mut Context<'_>, place: &[u8]) -> Result<Inode> {
    let stat = cx.host.stat(place, Follow::Yes)?;
    if stat.mode & S_IFMT != S_IFSOCK {
        return Err(Errno::ECONNREFUSED.into());
    }
    Ok(Inode { device: stat.dev, number: stat.ino })
}
