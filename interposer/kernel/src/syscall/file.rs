//! Files by path.

use alloc::vec::Vec;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, OpenFlags, RegularFile},
    fs::{self, preload::PreloadFile},
    host::{FileArgument, FileCall, Follow, HostStat},
    outcome::Outcome,
    uapi::stat::Stat,
    user::{self, UserPtr},
};

const AT_FDCWD: u32 = linux_raw_sys::general::AT_FDCWD as u32;

fn absolute(cx: &mut Context<'_>, directory: u64, path: &[u8]) -> Result<Vec<u8>> {
    if path.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    if path.starts_with(b"/") {
        return Ok(fs::join(b"/", path));
    }
    let base = if directory as u32 == AT_FDCWD {
        cx.process().fs.borrow().directory.clone()
    } else {
        cx.description(directory)?.path.borrow().to_vec()
    };
    Ok(fs::join(&base, path))
}

/// The preload library's file at a path, for a program that sees it.
fn preload_file(cx: &mut Context<'_>, path: &[u8]) -> Option<PreloadFile> {
    let file = PreloadFile::at(path)?;
    cx.process().preload.then_some(file)
}

/// open(2).
pub fn open(cx: &mut Context<'_>, [path, flags, mode, ..]: [u64; 6]) -> Result<Outcome> {
    openat(cx, [u64::from(AT_FDCWD), path, flags, mode, 0, 0])
}

/// The node of a view at a path, links followed.
fn node(
    cx: &mut Context<'_>,
    mut path: Vec<u8>,
    follow: bool,
) -> Result<(Vec<u8>, fs::views::Node)> {
    for _ in 0..40 {
        for end in 1..=path.len() {
            if end < path.len() && path[end] != b'/' {
                continue;
            }
            if end == path.len() && !follow {
                continue;
            }
            if let Some(fs::views::Node::Link(target)) =
                fs::views::lookup(cx.kernel, cx.thread, &path[..end])
            {
                let parent = path[..end].iter().rposition(|&b| b == b'/').unwrap_or(0);
                let mut new = fs::join(&path[..parent], &target);
                new.extend_from_slice(&path[end..]);
                path = new;
                break;
            }
        }
    }
    let node = fs::views::lookup(cx.kernel, cx.thread, &path).ok_or(Errno::ENOENT)?;
    Ok((path, node))
}

/// openat(2).
pub fn openat(
    cx: &mut Context<'_>,
    [directory, path, flags, mode, ..]: [u64; 6],
) -> Result<Outcome> {
    let flags = OpenFlags::from_bits_truncate(flags as u32);
    let path = cx.read_path(path)?;
    let path = absolute(cx, directory, &path)?;
    if fs::views::covers(&path) {
        let node = node(cx, path.clone(), true)?;
        let close_on_exec = flags.contains(OpenFlags::CLOSE_ON_EXEC);
        let description = fs::views::open(cx, &node.1, flags, &node.0)?;
        return cx.add_descriptor(description, close_on_exec).map(Outcome::Done);
    }
    let umask = cx.process().fs.borrow().umask;
    let host = match preload_file(cx, &path) {
        Some(file) => file.open(cx.host, flags)?,
        None => cx.host.open(&path, flags.bits(), mode as u32 & !umask)?,
    };
    let description = FileDescription::new(File::Regular(RegularFile { host }), flags, &path);
    cx.add_descriptor(description, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
}

fn write_stat(cx: &mut Context<'_>, to: u64, stat: &HostStat) -> Result<Outcome> {
    cx.write(UserPtr::new(to), &Stat::from_host(stat))?;
    Ok(Outcome::Done(0))
}

/// fstat(2).
pub fn fstat(cx: &mut Context<'_>, [fd, to, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let stat = file.stat(&mut cx.env())?;
    write_stat(cx, to, &stat)
}

/// fstatat(2).
pub fn newfstatat(
    cx: &mut Context<'_>,
    [directory, path, to, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let path = cx.read_path(path)?;
    if path.is_empty() && flags & 0x1000 != 0 {
        return fstat(cx, [directory, to, 0, 0, 0, 0]);
    }
    let path = absolute(cx, directory, &path)?;
    let follow = if flags & 0x100 != 0 { Follow::No } else { Follow::Yes };
    if fs::views::covers(&path) {
        let node = node(cx, path, follow == Follow::Yes)?;
        let stat = fs::views::status(cx.kernel, &node.1, &node.0);
        return write_stat(cx, to, &stat);
    }
    let stat = cx.host.stat(&path, follow)?;
    write_stat(cx, to, &stat)
}

/// access(2).
pub fn access(cx: &mut Context<'_>, [path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    let path = cx.read_path(path)?;
    let path = absolute(cx, u64::from(AT_FDCWD), &path)?;
    if preload_file(cx, &path).is_some() {
        return if mode & 2 == 0 { Ok(Outcome::Done(0)) } else { Err(Errno::EACCES.into()) };
    }
    cx.host.file_call(FileCall {
        number: linux_raw_sys::general::__NR_access,
        arguments: [
            FileArgument::String(&path),
            FileArgument::Number(mode),
            FileArgument::None,
            FileArgument::None,
            FileArgument::None,
            FileArgument::None,
        ],
    })?;
    Ok(Outcome::Done(0))
}

/// readlink(2).
pub fn readlink(cx: &mut Context<'_>, [path, buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    let path = cx.read_path(path)?;
    let path = absolute(cx, u64::from(AT_FDCWD), &path)?;
    let target = if path == b"/proc/self/exe" {
        cx.process().program.to_vec()
    } else {
        cx.host.read_link(&path)?
    };
    let len = target.len().min(size as usize);
    user::write_bytes(cx.host, buffer, &target[..len])?;
    Ok(Outcome::Done(len as u64))
}

/// getcwd(2).
pub fn getcwd(cx: &mut Context<'_>, [buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    let mut directory = cx.process().fs.borrow().directory.clone();
    directory.push(0);
    if directory.len() > size as usize {
        return Err(Errno::ERANGE.into());
    }
    user::write_bytes(cx.host, buffer, &directory)?;
    Ok(Outcome::Done(directory.len() as u64))
}
