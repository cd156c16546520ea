//! The preload library's two files, which only programs that take it see.
//!
//! The loader of glibc reads `/etc/ld.so.preload` (ld.so(8)) before anything else. That file therefore exists for
//! simulated programs, whatever the host has there, and names the library: no variable shows in the environment,
//! and `env -i` does not lose it.

use alloc::vec::Vec;

use linux_raw_sys::general as nr;
use simrun_abi::layout::fds;

use crate::{
    error::{Errno, Result},
    file::OpenFlags,
    host::{FileArgument, FileCall, Host, HostFd},
};

/// The loader's list of libraries.
const LIST: &[u8] = b"/etc/ld.so.preload";
/// Where programs see the library.
const LIBRARY: &[u8] = b"/run/simrun/preload.so";
/// Most bytes taken from the host's own list.
const LIST_SIZE_MAX: usize = 4096;

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreloadFile {
    /// The loader's list.
    List,
    /// The library.
    Library,
}

impl PreloadFile {
    /// The file with this absolute path.
    #[must_use]
    pub fn at(path: &[u8]) -> Option<Self> {
        match path {
            _ if path == LIST => Some(Self::List),
            _ if path == LIBRARY => Some(Self::Library),
            _ => None,
        }
    }

    /// Opens it for reading; it comes with its length.
    ///
    /// # Errors
    /// `EACCES` for writing, or what the host fails with.
    pub fn open(self, host: &mut dyn Host, flags: OpenFlags) -> Result<(HostFd, u64)> {
        if flags.writes() {
            return Err(Errno::EACCES.into());
        }
        match self {
            Self::List => make_list(host),
            Self::Library => {
                let library = FileArgument::Number(fds::PRELOAD as u64);
                let fd = host.file_call(FileCall::new(nr::__NR_dup, [library]))?;
                let fd = HostFd(fd as i32);
                Ok((fd, host.fstat(fd)?.size))
            }
        }
    }
}

/// The host's list and our library, in a file of memory.
fn make_list(host: &mut dyn Host) -> Result<(HostFd, u64)> {
    let mut text = hosts_list(host);
    text.extend_from_slice(LIBRARY);
    text.push(b'\n');
    let file = host.memory_file(LIST)?;
    host.pwrite(file, &text, 0)?;
    Ok((file, text.len() as u64))
}

fn hosts_list(host: &mut dyn Host) -> Vec<u8> {
    let Ok(file) = host.open(LIST, 0, 0) else { return Vec::new() };
    let mut text = alloc::vec![0; LIST_SIZE_MAX];
    let len = host.pread(file, &mut text, 0).unwrap_or(0);
    host.close(file);
    text.truncate(len);
    if !text.is_empty() {
        text.push(b'\n');
    }
    text
}
