//! Paths of the host, told by a descriptor of the directory that was used last.
//!
//! Programs go through directories file by file, and the kernel asks for each by its whole path, which the host would
//! walk from the root every time. The directories of the host stay where they are while a run reads them.

use alloc::vec::Vec;
use core::cell::UnsafeCell;

use linux_raw_sys::general as nr;

use crate::gate;

/// Paths from the root.
pub const AT_FDCWD: usize = -100isize as usize;
/// Directories with shorter paths are found as fast without a descriptor.
const PATH_MIN: usize = 12;

/// The directory that was used last, and a descriptor of it from its second use on.
struct Nearby {
    path: Vec<u8>,
    open: Option<usize>,
    /// The path that was asked for last, as the host wants it.
    string: Vec<u8>,
}

struct Shared(UnsafeCell<Nearby>);

// SAFETY: only the holder of the token runs.
unsafe impl Sync for Shared {}

static NEARBY: Shared =
    Shared(UnsafeCell::new(Nearby { path: Vec::new(), open: None, string: Vec::new() }));

/// A string for the host.
pub fn c_string(path: &[u8]) -> Vec<u8> {
    let mut string = Vec::with_capacity(path.len() + 1);
    string.extend_from_slice(path);
    string.push(0);
    string
}

/// A path for the host: the descriptor that it starts from, and the address of a string, which is this one until the next
/// is asked for.
pub fn locate(path: &[u8]) -> (usize, usize) {
    // SAFETY: only the holder of the token runs, and nothing that is called here comes back here.
    let nearby = unsafe { &mut *NEARBY.0.get() };
    // Every process has a `/proc/self` of its own.
    if !path.starts_with(b"/proc/")
        && let Some(at) = path.iter().rposition(|&byte| byte == b'/')
        && at >= PATH_MIN
        && at + 1 < path.len()
        && let Some(directory) = nearby.directory(&path[..at])
    {
        return (directory, nearby.string(&path[at + 1..]));
    }
    (AT_FDCWD, nearby.string(path))
}

impl Nearby {
    fn string(&mut self, path: &[u8]) -> usize {
        self.string.clear();
        self.string.extend_from_slice(path);
        self.string.push(0);
        self.string.as_ptr() as usize
    }

    /// A descriptor of a directory, if it is used for the second time.
    fn directory(&mut self, path: &[u8]) -> Option<usize> {
        if self.path != path {
            self.path.clear();
            self.path.extend_from_slice(path);
            if let Some(file) = self.open.take() {
                // SAFETY: the descriptor is this file's own.
                let _ = unsafe { gate::call(nr::__NR_close, [file, 0, 0, 0, 0, 0]) };
            }
            return None;
        }
        if self.open.is_none() {
            let (path, flags) = (c_string(path), nr::O_PATH | nr::O_DIRECTORY | nr::O_CLOEXEC);
            let arguments = [AT_FDCWD, path.as_ptr() as usize, flags as usize, 0, 0, 0];
            // SAFETY: the string lives until the call is over.
            self.open = unsafe { gate::call(nr::__NR_openat, arguments) }.ok();
        }
        self.open
    }
}
