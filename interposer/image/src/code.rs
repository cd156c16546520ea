//! The memory of processes, as debuggers reach it: through proc_pid_mem(5). Code of this process is written over so, as to
//! make it writable and back splits and merges mappings, which takes several times as long.

use core::{cell::UnsafeCell, fmt::Write, sync::atomic::Ordering};

use linux_raw_sys::general as nr;
use simrun_kernel::{error::Errno, host::HostResult, mm::SpaceId};

use crate::{gate, nearby::AT_FDCWD, state};

/// The memory of the process that was reached last, as a file.
struct Memory {
    /// That process; zero if there was none.
    owner: i32,
    file: usize,
}

struct Shared(UnsafeCell<Memory>);

// SAFETY: only the holder of the token runs.
unsafe impl Sync for Shared {}

static MEMORY: Shared = Shared(UnsafeCell::new(Memory { owner: 0, file: 0 }));

/// Writes over code that is mapped privately.
///
/// # Errors
/// What the host says: it may forbid it.
pub fn overwrite(at: u64, bytes: &[u8]) -> HostResult<()> {
    // SAFETY: private words are mapped and this process's own.
    let space = unsafe { (*state::private()).space }.ok_or(Errno::EIO)?;
    let written = write(space, at, bytes)?;
    if written == bytes.len() { Ok(()) } else { Err(Errno::EIO) }
}

/// Writes to memory of a process, whatever its protection is; how many bytes there were.
///
/// # Errors
/// As [`overwrite`].
pub fn write(space: SpaceId, at: u64, bytes: &[u8]) -> HostResult<usize> {
    let arguments = [bytes.as_ptr() as usize, bytes.len(), at as usize];
    // SAFETY: the bytes are read, and what they are written to is a program's memory, as the kernel has checked.
    unsafe { transfer(space, nr::__NR_pwrite64, arguments) }
}

/// Reads memory of a process; how many bytes there were.
///
/// # Errors
/// As [`overwrite`].
pub fn read(space: SpaceId, at: u64, into: &mut [u8]) -> HostResult<usize> {
    let arguments = [into.as_mut_ptr() as usize, into.len(), at as usize];
    // SAFETY: so many bytes are written to, and nobody else looks at them.
    unsafe { transfer(space, nr::__NR_pread64, arguments) }
}

/// # Safety
/// The call, with a file before these arguments, must be safe.
unsafe fn transfer(space: SpaceId, call: u32, [buffer, len, at]: [usize; 3]) -> HostResult<usize> {
    // SAFETY: only the holder of the token runs, and nothing that is called here comes back here.
    let memory = unsafe { &mut *MEMORY.0.get() };
    // Number of a process of the host: it is nobody else's as long as a process is there that had this one's memory.
    let owner = state::control().host_pids[space.index()].load(Ordering::Relaxed);
    if memory.owner == owner {
        // SAFETY: the caller's.
        let done = unsafe { gate::call(call, [memory.file, buffer, len, at, 0, 0]) };
        if done.is_ok_and(|done| done > 0) {
            return done;
        }
    }
    memory.open(owner)?;
    // SAFETY: the caller's.
    unsafe { gate::call(call, [memory.file, buffer, len, at, 0, 0]) }
}

/// Room for a path in `/proc`.
struct Path {
    bytes: [u8; 32],
    len: usize,
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Memory {
    fn open(&mut self, owner: i32) -> HostResult<()> {
        if self.owner != 0 {
            self.owner = 0;
            // SAFETY: the descriptor is this value's own.
            let _ = unsafe { gate::call(nr::__NR_close, [self.file, 0, 0, 0, 0, 0]) };
        }
        let mut path = Path { bytes: [0; 32], len: 0 };
        write!(path, "/proc/{owner}/mem\0").map_err(|_| Errno::ENAMETOOLONG)?;
        let arguments = [AT_FDCWD, path.bytes.as_ptr() as usize, nr::O_RDWR as usize, 0, 0, 0];
        // SAFETY: the path ends in NUL and stays in place.
        self.file = unsafe { gate::call(nr::__NR_openat, arguments) }?;
        self.owner = owner;
        Ok(())
    }
}
