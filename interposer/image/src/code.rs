//! Writing over code of this process, as debuggers do it: through proc_pid_mem(5).
//!
//! To make code writable and back splits and merges mappings, which takes several times as long.

use core::{cell::UnsafeCell, sync::atomic::Ordering};

use linux_raw_sys::general as nr;
use simrun_kernel::{error::Errno, host::HostResult};

use crate::{gate, nearby::AT_FDCWD, state};

/// The memory of the process that wrote last, as a file.
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
    // SAFETY: only the holder of the token runs, and nothing that is called here comes back here.
    let memory = unsafe { &mut *MEMORY.0.get() };
    // SAFETY: private words are mapped and this process's own.
    let space = unsafe { (*state::private()).space }.ok_or(Errno::EIO)?;
    // Number of a process of the host: it is nobody else's as long as a process is there that had this one's memory.
    let own = state::control().host_pids[space.index()].load(Ordering::Relaxed);
    if memory.owner == own && memory.write(at, bytes).is_ok() {
        return Ok(());
    }
    memory.open(own)?;
    memory.write(at, bytes)
}

impl Memory {
    fn open(&mut self, own: i32) -> HostResult<()> {
        if self.owner != 0 {
            self.owner = 0;
            // SAFETY: the descriptor is this value's own.
            let _ = unsafe { gate::call(nr::__NR_close, [self.file, 0, 0, 0, 0, 0]) };
        }
        let path = c"/proc/self/mem".as_ptr() as usize;
        let flags = nr::O_WRONLY as usize;
        // SAFETY: the path is a constant.
        self.file = unsafe { gate::call(nr::__NR_openat, [AT_FDCWD, path, flags, 0, 0, 0]) }?;
        self.owner = own;
        Ok(())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> HostResult<()> {
        let arguments = [self.file, bytes.as_ptr() as usize, bytes.len(), at as usize, 0, 0];
        // SAFETY: the bytes are read, and what they are written to is code that the kernel has checked to be the program's.
        let written = unsafe { gate::call(nr::__NR_pwrite64, arguments) }?;
        if written == bytes.len() { Ok(()) } else { Err(Errno::EIO) }
    }
}
