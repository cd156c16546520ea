//! Opening the nodes of the views, their status, and what writing to them does.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use super::{Node, lookup, proc};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{
        FifoOpening, File, FileDescription, HostStream, MemoryFile, OpenFlags, PipeEnd, TextFile,
    },
    host::HostStat,
    kernel::Kernel,
    process::ProcessState,
};

/// Opens a node that is neither a directory nor a symbolic link.
///
/// # Errors
/// As open(2).
pub fn open(
    cx: &mut Context<'_>,
    node: &Node,
    flags: OpenFlags,
    path: &[u8],
) -> Result<Rc<FileDescription>> {
    if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) {
        return Err(Errno::EEXIST.into());
    }
    if flags.contains(OpenFlags::DIRECTORY) {
        return Err(Errno::ENOTDIR.into());
    }
    let status = status(cx.kernel, node, path);
    let file = match node {
        Node::Text(text) | Node::Setting(text) => {
            check_permission(cx, node, flags, path)?;
            let file = TextFile::new(text.clone(), status);
            let is_list_of_mounts = path.ends_with(b"/mounts") || path.ends_with(b"/mountinfo");
            File::Text(if is_list_of_mounts { file.watched() } else { file })
        }
        Node::Memory(process) => {
            cx.check_trace_access(*process)?;
            if cx.kernel.process(*process).state != ProcessState::Alive {
                return Err(Errno::ESRCH.into());
            }
            let space = cx.kernel.process(*process).space;
            let life = cx.kernel.space_mut(space).life.watch();
            File::Memory(MemoryFile { space, life, status })
        }
        Node::Description(link) => return reopen(cx, &link.0, flags),
        Node::Directory(_) => return Err(Errno::EISDIR.into()),
        Node::Link(_) => return Err(Errno::ELOOP.into()),
    };
    Ok(FileDescription::new(file, flags, path))
}

/// Settings of the machine belong to root, those of a process to whoever runs it.
fn check_permission(
    cx: &mut Context<'_>,
    node: &Node,
    flags: OpenFlags,
    path: &[u8],
) -> Result<()> {
    if !flags.writes() {
        return Ok(());
    }
    let is_root = cx.process().credentials.fsuid == 0;
    match node {
        Node::Setting(_) if is_root || !path.starts_with(b"/proc/sys/") => Ok(()),
        Node::Setting(_) => Err(Error::new(Errno::EACCES, "only root may change it")),
        _ => Err(Error::new(Errno::EACCES, "it cannot be written")),
    }
}

/// Opens what another descriptor refers to, as opening `/proc/self/fd/N` does; files of the host are not opened here.
fn reopen(
    cx: &mut Context<'_>,
    of: &Rc<FileDescription>,
    flags: OpenFlags,
) -> Result<Rc<FileDescription>> {
    let path = Rc::clone(&of.path.borrow());
    let file = match &of.file {
        File::HostStream(stream) => {
            let allowed = if stream.output.is_some() { !flags.reads() } else { !flags.writes() };
            if !allowed && !flags.contains(OpenFlags::READ_WRITE) {
                return Err(Errno::EACCES.into());
            }
            File::HostStream(HostStream { host: stream.host, output: stream.output })
        }
        File::Text(text) => File::Text(text.clone()),
        File::Memory(memory) => File::Memory(memory.clone()),
        File::Pipe(end) => {
            let opened = PipeEnd::open_fifo(&end.pipe, &mut cx.kernel.machine, flags, &path)?;
            let (FifoOpening::Open(file) | FifoOpening::Waits(file, _)) = opened;
            return Ok(file);
        }
        // What has no name to open, as sockets.
        _ => return Err(Errno::ENXIO.into()),
    };
    Ok(FileDescription::new(file, flags, &path))
}

/// Makes the text of a view anew, as a read from the start of it does in Linux: call it when the offset returns to
/// zero.
pub fn refresh(kernel: &Kernel, caller: crate::process::ThreadId, file: &FileDescription) {
    if let File::Text(text) = &file.file
        && let Some(Node::Text(new) | Node::Setting(new)) =
            lookup(kernel, caller, &file.path.borrow())
    {
        text.replace(new);
    }
}

/// Does what has been written to settings since the last time.
pub fn apply_written(kernel: &mut Kernel) {
    for (path, bytes) in core::mem::take(&mut kernel.machine.written) {
        let Ok(path) = core::str::from_utf8(&path) else { continue };
        if path == "/proc/sys/kernel/hostname" {
            let name = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            kernel.machine.config.hostname =
                alloc::string::String::from_utf8_lossy(name).into_owned();
        } else if !proc::write(kernel, path, &bytes) {
            kernel.settings.insert(path.as_bytes().to_vec(), with_newline(bytes));
        }
    }
}

fn with_newline(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    bytes
}

/// The device numbers of the three views.
const VIEW_DEVICES: [(&[u8], u64); 3] = [(b"/proc", 0x15), (b"/sys", 0x16), (b"/dev", 0x5)];

/// The status of a node. Its inode number follows from its path, its times are those of the machine's start.
#[must_use]
pub fn status(kernel: &Kernel, node: &Node, path: &[u8]) -> HostStat {
    let mode = match node {
        Node::Directory(_) => raw::S_IFDIR | 0o555,
        Node::Text(_) => raw::S_IFREG | 0o444,
        Node::Setting(_) => raw::S_IFREG | 0o644,
        Node::Memory(_) => raw::S_IFREG | 0o600,
        Node::Link(_) => raw::S_IFLNK | 0o777,
        Node::Description(_) => raw::S_IFLNK | 0o700,
    };
    let (uid, gid) = owner(kernel, path);
    let boot = kernel.machine.clock.wall().saturating_sub(kernel.machine.clock.since_boot());
    let nlink = if matches!(node, Node::Directory(_)) { 2 } else { 1 };
    let dev =
        VIEW_DEVICES.iter().find(|(root, _)| path.starts_with(root)).map_or(0, |(_, dev)| *dev);
    let mtime_ns = i64::try_from(boot.as_nanos()).unwrap_or(i64::MAX);
    let size = if let Node::Description(_) = node { 64 } else { 0 };
    HostStat {
        dev,
        ino: inode_number(path),
        mode,
        nlink,
        uid,
        gid,
        rdev: 0,
        size,
        blksize: 1024,
        blocks: 0,
        mtime_ns,
        atime_ns: mtime_ns,
        ctime_ns: mtime_ns,
        birth_ns: mtime_ns,
    }
}

/// Whoever runs a process owns its files; root owns the rest.
fn owner(kernel: &Kernel, path: &[u8]) -> (u32, u32) {
    let number =
        path.strip_prefix(b"/proc/").and_then(|rest| rest.split(|&byte| byte == b'/').next());
    let number = number.and_then(|number| core::str::from_utf8(number).ok()?.parse().ok());
    let process = number.and_then(|number| kernel.pids.get(&crate::process::Tid::new(number)));
    process
        .and_then(|&id| kernel.processes.get(id))
        .map_or((0, 0), |process| (process.credentials.euid, process.credentials.egid))
}

/// The inode number of a path in a view: FNV-1a over it, kept to 31 bits and off the smallest numbers.
#[must_use]
pub fn inode_number(path: &[u8]) -> u64 {
    let hash = path.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) & 0x7fff_ffff) | 0x1000
}
