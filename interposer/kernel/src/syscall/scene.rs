//! A call as faults see it.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general::{
    self as nr, FUTEX_CLOCK_REALTIME, FUTEX_PRIVATE_FLAG, FUTEX_WAIT, FUTEX_WAIT_BITSET,
};
use simrun_abi::faults::{Descriptor, DiskOperation};

use super::subject::{self, Name, Subject, Transfer};
use crate::{
    context::Context,
    error::{Errno, Result},
    fault::Scene,
    file::{File, FileDescription},
    net::socket::Socket,
    node::NodeId,
    uapi::{
        limits::{PIPE_BUF, RW_COUNT_MAX},
        socket::Msghdr,
    },
    user::{self, UserPtr},
};

/// The call that a thread is about to make, or waits in.
pub struct CallScene<'a, 'b> {
    cx: &'a mut Context<'b>,
    number: u64,
    arguments: [u64; 6],
    subject: Subject,
}

impl<'a, 'b> CallScene<'a, 'b> {
    /// The current call.
    pub fn new(cx: &'a mut Context<'b>) -> Self {
        let call = cx.call();
        let (number, arguments) = (call.number, call.arguments);
        Self::of(cx, number, arguments)
    }

    /// A call that the current one stands for.
    pub fn of(cx: &'a mut Context<'b>, number: u64, arguments: [u64; 6]) -> Self {
        Self { cx, number, arguments, subject: subject::of(number) }
    }

    /// The file or the kind of descriptor that the call is about, for the log.
    pub fn subject(&mut self) -> alloc::string::String {
        let paths: Vec<_> = self
            .paths()
            .iter()
            .map(|path| alloc::string::String::from_utf8_lossy(path).into_owned())
            .collect();
        paths.join(" ")
    }

    fn description(&mut self) -> Option<Rc<FileDescription>> {
        let argument = self.subject.descriptor?;
        self.cx.description(self.arguments[usize::from(argument)]).ok()
    }

    fn path(&mut self, name: Name) -> Result<Vec<u8>> {
        let path = self.cx.read_path(self.arguments[usize::from(name.path)])?;
        let directory = match name.directory {
            Some(argument) => self.arguments[usize::from(argument)],
            None => super::path::HERE,
        };
        let start = self.cx.start_of_walk(directory, &path)?;
        Ok(join(&start.path, &path))
    }

    fn asked_bytes(&mut self, transfer: Transfer) -> Result<u64> {
        let [_, address, count, ..] = self.arguments;
        let total = |slices: Vec<_>| user::total_len(&slices) as u64;
        Ok(match transfer {
            Transfer::Bytes(argument) => {
                self.arguments[usize::from(argument)].min(RW_COUNT_MAX as u64)
            }
            Transfer::Vector => total(self.cx.buffers(address, count)?),
            Transfer::Message => {
                let header = self.cx.read(UserPtr::<Msghdr>::new(address))?;
                total(self.cx.buffers(header.iov, header.iov_len)?)
            }
        })
    }
}

/// A path from a directory, without `.`, `..` and doubled slashes. Links in it are left alone.
fn join(start: &[u8], path: &[u8]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in start.split(|&byte| byte == b'/').chain(path.split(|&byte| byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                let end = joined.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                joined.truncate(end);
            }
            name => {
                joined.push(b'/');
                joined.extend_from_slice(name);
            }
        }
    }
    if joined.is_empty() { b"/".to_vec() } else { joined }
}

/// What a description refers to, in the words of fault files.
fn kind(file: &File) -> Descriptor {
    match file {
        File::Regular(_) => Descriptor::File,
        File::Directory(_) => Descriptor::Directory,
        File::Pipe(_) => Descriptor::Pipe,
        File::HostStream(_) => Descriptor::Stream,
        File::Terminal(_) => Descriptor::Terminal,
        File::Device(_) => Descriptor::Device,
        File::Socket(Socket::Tcp(_)) => Descriptor::Tcp,
        File::Socket(Socket::Udp(_)) => Descriptor::Udp,
        File::Socket(Socket::Unix(_)) => Descriptor::Unix,
        File::Socket(Socket::Netlink(_)) => Descriptor::Netlink,
        File::Socket(Socket::Icmp(_))
        | File::Text(_)
        | File::Memory(_)
        | File::Process(_)
        | File::Event(_)
        | File::Signal(_)
        | File::Inotify(_)
        | File::Timer(_)
        | File::MessageQueue(_)
        | File::Epoll(_)
        | File::Place(_) => Descriptor::Other,
    }
}

/// Errors that only a storage device makes.
const OF_STORAGE: [Errno; 4] = [Errno::EIO, Errno::ENOSPC, Errno::EDQUOT, Errno::EFBIG];
/// Errors that only a connection or a network makes.
const OF_NETWORK: [Errno; 8] = [
    Errno::ECONNRESET,
    Errno::ECONNREFUSED,
    Errno::ECONNABORTED,
    Errno::ETIMEDOUT,
    Errno::ENOTCONN,
    Errno::ENOBUFS,
    Errno::ENETUNREACH,
    Errno::EHOSTUNREACH,
];

/// Whether a call on such a descriptor can fail so.
fn fits(description: &FileDescription, errno: Errno) -> bool {
    use Descriptor::{Device, Directory, File, Pipe, Stream, Tcp, Terminal, Udp, Unix};
    let kind = kind(&description.file);
    if errno == Errno::EAGAIN {
        return description.is_nonblocking();
    }
    if errno == Errno::EPIPE {
        return matches!(kind, Pipe | Stream | Tcp | Unix);
    }
    if OF_NETWORK.contains(&errno) {
        return matches!(kind, Tcp | Udp | Unix);
    }
    if OF_STORAGE.contains(&errno) {
        let has_media = matches!(kind, File | Directory | Device);
        return has_media || errno == Errno::EIO && kind == Terminal;
    }
    true
}

/// `getrandom` returns all of so many bytes, or none (getrandom(2), "Interruption by a signal handler").
const RANDOM_WHOLE: u64 = 256;

impl Scene for CallScene<'_, '_> {
    fn node(&mut self) -> NodeId {
        self.cx.kernel.node()
    }

    fn program(&mut self) -> Vec<u8> {
        self.cx.process().program.to_vec()
    }

    fn argument(&mut self, index: usize) -> u64 {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    fn descriptor(&mut self) -> Option<Descriptor> {
        self.description().map(|description| kind(&description.file))
    }

    fn disk(&mut self) -> Option<DiskOperation> {
        let operation = self.subject.disk?;
        // Of the calls with descriptors, those on files and directories.
        let on_disk = |description: Rc<FileDescription>| {
            matches!(kind(&description.file), Descriptor::File | Descriptor::Directory)
        };
        let fits = match self.subject.descriptor {
            Some(_) => self.description().is_some_and(on_disk),
            None => true,
        };
        // An open that makes no file and cuts none changes nothing.
        let flags = match u32::try_from(self.number) {
            Ok(nr::__NR_open) => self.arguments[1],
            Ok(nr::__NR_openat) => self.arguments[2],
            _ => u64::from(nr::O_CREAT),
        };
        (fits && flags & u64::from(nr::O_CREAT | nr::O_TRUNC) != 0).then_some(operation)
    }

    fn has_deadline(&mut self) -> bool {
        self.cx.call().deadline.is_some()
    }

    fn may_wake(&mut self) -> bool {
        let operation = self.arguments[1] as u32 & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
        self.number == u64::from(nr::__NR_futex)
            && matches!(operation, FUTEX_WAIT | FUTEX_WAIT_BITSET)
    }

    fn wakes_one_of_several(&mut self) -> bool {
        super::futex::waiters_to_wake(self.cx).is_some_and(|waiters| waiters > 1)
    }

    fn paths(&mut self) -> Vec<Vec<u8>> {
        if let Some(description) = self.description() {
            return Vec::from([description.path.borrow().to_vec()]);
        }
        self.subject.paths.iter().filter_map(|&name| self.path(name).ok()).collect()
    }

    fn open_descriptors(&mut self) -> u64 {
        self.cx.process().files.borrow().iter().count() as u64
    }

    fn can_fail(&mut self, errno: Errno) -> bool {
        match u32::try_from(self.number) {
            // To ask where the break is cannot fail, nor to lower it.
            Ok(nr::__NR_brk) => self.arguments[0] > self.cx.space().break_end,
            // Without a descriptor it maps memory.
            Ok(nr::__NR_mmap) => {
                self.description().is_none_or(|description| fits(&description, errno))
            }
            // What is not open fails by itself.
            _ if self.subject.descriptor.is_some() => {
                self.description().is_some_and(|description| fits(&description, errno))
            }
            _ => true,
        }
    }

    fn bytes(&mut self) -> Option<u64> {
        let asked = self.asked_bytes(self.subject.transfer?).ok()?;
        let Some(description) = self.description() else { return Some(asked) };
        let File::Regular(regular) = &description.file else { return Some(asked) };
        if self.subject.writes {
            return Some(asked);
        }
        // What lies behind the end of a file is not read.
        let at = match u32::try_from(self.number) {
            Ok(nr::__NR_pread64 | nr::__NR_preadv) => self.arguments[3],
            _ => description.offset.get(),
        };
        let size = regular.size();
        Some(asked.min(size.saturating_sub(at)))
    }

    fn divisible_bytes(&mut self) -> Option<u64> {
        let transfer = self.subject.transfer?;
        let bytes = self.asked_bytes(transfer).ok()?;
        let Some(description) = self.description() else {
            return Some(bytes).filter(|&bytes| bytes > RANDOM_WHOLE);
        };
        let divisible = match &description.file {
            File::Regular(_) | File::Terminal(_) => true,
            // A packet is read or written as a whole, and so is what fits into PIPE_BUF (pipe(7)). Streams of the host
            // look like pipes.
            File::Pipe(_) | File::HostStream(_) => {
                !description.flags.get().contains(crate::file::OpenFlags::DIRECT)
                    && (!self.subject.writes || bytes > PIPE_BUF)
            }
            File::Socket(socket) => socket.as_object().is_stream(),
            _ => false,
        };
        divisible.then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_detours() {
        let cases: [(&[u8], &[u8], &[u8]); 7] = [
            (b"/a", b"b", b"/a/b"),
            (b"", b"/x//y/./z", b"/x/y/z"),
            (b"/a/b", b"../c", b"/a/c"),
            (b"/a", b"../../..", b"/"),
            (b"/", b"", b"/"),
            (b"/a", b"", b"/a"),
            (b"/", b"x/", b"/x"),
        ];
        for (start, path, expected) in cases {
            assert_eq!(join(start, path), expected);
        }
    }
}
