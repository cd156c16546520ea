//! What the kernel asks of the real machine.

use alloc::{vec, vec::Vec};
use core::{arch::asm, ptr, sync::atomic::Ordering};

use linux_raw_sys::general as nr;
use simrun_abi::{control, layout};
use simrun_kernel::{
    error::Errno,
    host::{
        Backing, Fault, FileArgument, FileCall, Follow, Host, HostEntry, HostFd, HostResult,
        HostStat, ProgramPlaces,
    },
    mm::{MapFlags, Protection, SpaceId},
    uapi::stat::Stat,
    user::UserSlice,
};

use crate::{
    closing, code, frame, gate,
    nearby::{c_string, locate},
    patched,
    state::{self, Frame, TRAPPED_SITES, TRAPS_BITS, TRAPS_MAX},
    supervisor, token, user_copy,
};

/// The real machine, seen from the host process that holds the token.
pub struct Shell;

const AT_SYMLINK_NOFOLLOW: usize = 0x100;
const PR_SET_NAME: usize = 15;
/// Most bytes of a link's target.
const LINK_MAX: usize = 4096;
/// Bytes of directory entries fetched at a time.
const ENTRIES_SIZE: usize = 32 << 10;

/// Unmaps all but simrun's own ranges, what the supervisor's child came with (its vDSO too) or a program.
pub fn unmap_all_but_simrun() {
    let (below, above) = (layout::OWN_START as usize, layout::OWN_END as usize);
    // SAFETY: nothing of the image lies outside its ranges.
    unsafe {
        let _ = gate::call(nr::__NR_munmap, [0, below, 0, 0, 0, 0]);
        let _ = gate::call(nr::__NR_munmap, [above, layout::USER_END as usize - above, 0, 0, 0, 0]);
    }
}

/// A host call of whose arguments those that are memory belong to the kernel or lie in user space.
fn call(number: u32, arguments: [usize; 6]) -> HostResult<usize> {
    loop {
        // SAFETY: all callers in this file pass buffers of their own or addresses that the kernel has checked to lie
        // outside simrun's ranges.
        match unsafe { gate::call(number, arguments) } {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// The extended state of the thread that entered.
fn extended_state() -> &'static mut [u8] {
    // SAFETY: set at every entry to where that entry's registers are, which stays in place until it is served.
    unsafe {
        match (*state::private()).frame {
            Frame::Trapped(frame) => (*frame).extended_state(),
            Frame::Patched(frame) => (*frame).extended_state(),
        }
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn host_stat(stat: &Stat) -> HostStat {
    HostStat {
        dev: stat.dev,
        ino: stat.ino,
        mode: stat.mode,
        nlink: stat.nlink,
        uid: stat.uid,
        gid: stat.gid,
        rdev: stat.rdev,
        size: stat.size as u64,
        blksize: stat.blksize as u64,
        blocks: stat.blocks as u64,
        mtime_ns: nanoseconds(stat.mtime, stat.mtime_nsec),
        ctime_ns: nanoseconds(stat.ctime, stat.ctime_nsec),
        ..HostStat::default()
    }
}

impl Host for Shell {
    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        // SAFETY: the slice is valid; the kernel has checked the address.
        unsafe {
            user_copy::copy(
                into.as_mut_ptr(),
                ptr::with_exposed_provenance(address as usize),
                into.len(),
            )
        }
    }

    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault> {
        // SAFETY: as above.
        unsafe {
            user_copy::copy(
                ptr::with_exposed_provenance_mut(address as usize),
                bytes.as_ptr(),
                bytes.len(),
            )
        }
    }

    fn extended_state(&mut self) -> &mut [u8] {
        extended_state()
    }

    fn reset_extended_state(&mut self) {
        frame::reset_extended_state(extended_state());
    }

    fn segment_bases(&mut self) -> (u64, u64) {
        let (fs, gs);
        // SAFETY: reading the bases touches no memory; the supervisor has checked that the processor and the host
        // allow it.
        unsafe {
            asm!("rdfsbase {}", "rdgsbase {}", out(reg) fs, out(reg) gs, options(nomem, nostack, preserves_flags))
        };
        (fs, gs)
    }

    fn set_segment_bases(&mut self, fs: u64, gs: u64) {
        // Setting them takes many times as long as reading them.
        if self.segment_bases() == (fs, gs) {
            return;
        }
        // SAFETY: the image uses no thread-local storage.
        unsafe {
            asm!("wrfsbase {}", "wrgsbase {}", in(reg) fs, in(reg) gs, options(nomem, nostack, preserves_flags))
        };
    }

    fn map(
        &mut self,
        at: u64,
        len: u64,
        prot: Protection,
        flags: MapFlags,
        backing: Backing,
    ) -> HostResult<()> {
        let (fd, offset) = match backing {
            Backing::Anonymous => (usize::MAX, 0),
            Backing::File(fd, offset) => (fd.0 as usize, offset),
        };
        let flags = (flags | MapFlags::FIXED).bits() as usize;
        call(
            nr::__NR_mmap,
            [at as usize, len as usize, prot.bits() as usize, flags, fd, offset as usize],
        )
        .map(drop)
    }

    fn unmap(&mut self, at: u64, len: u64) -> HostResult<()> {
        call(nr::__NR_munmap, [at as usize, len as usize, 0, 0, 0, 0]).map(drop)
    }

    fn read_space(&mut self, space: SpaceId, from: u64, into: &mut [u8]) -> HostResult<usize> {
        code::read(space, from, into)
    }

    fn write_space(&mut self, space: SpaceId, to: u64, bytes: &[u8]) -> HostResult<usize> {
        code::write(space, to, bytes)
    }

    fn overwrite_code(&mut self, at: u64, bytes: &[u8]) -> HostResult<()> {
        code::overwrite(at, bytes)
    }

    fn protect(&mut self, at: u64, len: u64, prot: Protection) -> HostResult<()> {
        call(nr::__NR_mprotect, [at as usize, len as usize, prot.bits() as usize, 0, 0, 0])
            .map(drop)
    }

    fn remap(
        &mut self,
        from: u64,
        old_len: u64,
        to: u64,
        new_len: u64,
        keep_old: bool,
    ) -> HostResult<()> {
        const MAY_MOVE: usize = 1;
        const FIXED: usize = 2;
        const DONT_UNMAP: usize = 4;
        let flags = match (from == to, keep_old) {
            (true, _) => 0,
            (false, false) => MAY_MOVE | FIXED,
            (false, true) => MAY_MOVE | FIXED | DONT_UNMAP,
        };
        call(
            nr::__NR_mremap,
            [from as usize, old_len as usize, new_len as usize, flags, to as usize, 0],
        )
        .map(drop)
    }

    fn advise(&mut self, at: u64, len: u64, advice: i32) -> HostResult<()> {
        call(nr::__NR_madvise, [at as usize, len as usize, advice as usize, 0, 0, 0]).map(drop)
    }

    fn sync_memory(&mut self, at: u64, len: u64, flags: i32) -> HostResult<()> {
        call(nr::__NR_msync, [at as usize, len as usize, flags as usize, 0, 0, 0]).map(drop)
    }

    fn unmap_program(&mut self) {
        unmap_all_but_simrun();
    }

    fn describe_program(&mut self, program: &ProgramPlaces<'_>) {
        let name = c_string(program.name);
        // For tools only: a host that refuses loses nothing.
        let _ = call(nr::__NR_prctl, [PR_SET_NAME, name.as_ptr() as usize, 0, 0, 0, 0]);
    }

    fn call_entry(&self) -> u64 {
        patched::enter as *const () as u64
    }

    fn traps_at(&mut self, site: u64) -> u64 {
        let hash = site.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        // SAFETY: private words are mapped and this process's own.
        let place = unsafe { &mut (*state::private()).trapped[hash as usize % TRAPPED_SITES] };
        let (known, times) = (*place >> TRAPS_BITS, *place & TRAPS_MAX);
        let times = if known == site { (times + 1).min(TRAPS_MAX) } else { 1 };
        *place = site << TRAPS_BITS | times;
        times
    }

    fn open(&mut self, path: &[u8], flags: u32, mode: u32) -> HostResult<HostFd> {
        let (start, path) = locate(path);
        let fd = call(nr::__NR_openat, [start, path, flags as usize, mode as usize, 0, 0])?;
        Ok(HostFd(fd as i32))
    }

    fn close(&mut self, fd: HostFd) {
        let _ = call(nr::__NR_close, [fd.0 as usize, 0, 0, 0, 0, 0]);
    }

    fn close_later(&mut self, fd: HostFd) {
        closing::close_later(fd.0.cast_unsigned());
    }

    fn pread_user(&mut self, fd: HostFd, into: UserSlice, offset: u64) -> HostResult<usize> {
        call(
            nr::__NR_pread64,
            [fd.0 as usize, into.address as usize, into.len, offset as usize, 0, 0],
        )
    }

    fn pwrite_user(&mut self, fd: HostFd, from: UserSlice, offset: u64) -> HostResult<usize> {
        call(
            nr::__NR_pwrite64,
            [fd.0 as usize, from.address as usize, from.len, offset as usize, 0, 0],
        )
    }

    fn pread(&mut self, fd: HostFd, into: &mut [u8], offset: u64) -> HostResult<usize> {
        call(
            nr::__NR_pread64,
            [fd.0 as usize, into.as_mut_ptr() as usize, into.len(), offset as usize, 0, 0],
        )
    }

    fn pwrite(&mut self, fd: HostFd, from: &[u8], offset: u64) -> HostResult<usize> {
        call(
            nr::__NR_pwrite64,
            [fd.0 as usize, from.as_ptr() as usize, from.len(), offset as usize, 0, 0],
        )
    }

    fn read_stream(&mut self, fd: HostFd, into: &mut [u8]) -> HostResult<usize> {
        let control = state::control();
        control.stream_calls.fetch_add(1, Ordering::Relaxed);
        control.awaits_input.store(1, Ordering::Relaxed);
        let read =
            call(nr::__NR_read, [fd.0 as usize, into.as_mut_ptr() as usize, into.len(), 0, 0, 0]);
        control.awaits_input.store(0, Ordering::Relaxed);
        read
    }

    fn write_stream(&mut self, fd: HostFd, from: &[u8]) -> HostResult<usize> {
        state::control().stream_calls.fetch_add(1, Ordering::Relaxed);
        let mut done = 0;
        while done < from.len() {
            let rest = &from[done..];
            done +=
                call(nr::__NR_write, [fd.0 as usize, rest.as_ptr() as usize, rest.len(), 0, 0, 0])?;
        }
        Ok(done)
    }

    fn stat(&mut self, path: &[u8], follow: Follow) -> HostResult<HostStat> {
        let (start, path) = locate(path);
        let mut stat = Stat::default();
        let flags = if follow == Follow::No { AT_SYMLINK_NOFOLLOW } else { 0 };
        let place = &raw mut stat as usize;
        call(nr::__NR_newfstatat, [start, path, place, flags, 0, 0])?;
        Ok(host_stat(&stat))
    }

    fn fstat(&mut self, fd: HostFd) -> HostResult<HostStat> {
        let mut stat = Stat::default();
        call(nr::__NR_fstat, [fd.0 as usize, &raw mut stat as usize, 0, 0, 0, 0])?;
        Ok(host_stat(&stat))
    }

    fn read_link(&mut self, path: &[u8]) -> HostResult<Vec<u8>> {
        let (start, path) = locate(path);
        let mut target = vec![0; LINK_MAX];
        let len = call(
            nr::__NR_readlinkat,
            [start, path, target.as_mut_ptr() as usize, target.len(), 0, 0],
        )?;
        target.truncate(len);
        Ok(target)
    }

    fn read_directory(
        &mut self,
        fd: HostFd,
        each: &mut dyn FnMut(HostEntry<'_>),
    ) -> HostResult<()> {
        let mut buffer = vec![0; ENTRIES_SIZE];
        loop {
            let place = buffer.as_mut_ptr() as usize;
            let len = call(nr::__NR_getdents64, [fd.0 as usize, place, buffer.len(), 0, 0, 0])?;
            if len == 0 {
                return Ok(());
            }
            directory_entries(&buffer[..len]).for_each(&mut *each);
        }
    }

    fn memory_file(&mut self, name: &[u8]) -> HostResult<HostFd> {
        let name = c_string(name);
        let fd = call(nr::__NR_memfd_create, [name.as_ptr() as usize, 0, 0, 0, 0, 0])?;
        Ok(HostFd(fd as i32))
    }

    fn file_call(&mut self, mut file_call: FileCall<'_>) -> HostResult<u64> {
        let strings = file_call.arguments.each_ref().map(|argument| match argument {
            FileArgument::String(string) => c_string(string),
            _ => Vec::new(),
        });
        let mut raw = [0; 6];
        for ((place, argument), string) in
            raw.iter_mut().zip(&mut file_call.arguments).zip(&strings)
        {
            *place = match argument {
                FileArgument::None => 0,
                FileArgument::Number(number) => *number as usize,
                FileArgument::String(_) => string.as_ptr() as usize,
                FileArgument::Input(bytes) => bytes.as_ptr() as usize,
                FileArgument::Output(bytes) => bytes.as_mut_ptr() as usize,
            };
        }
        call(file_call.number, raw).map(|value| value as u64)
    }

    fn emit(&mut self, event: &[u8]) {
        let len = (event.len() as u32).to_le_bytes();
        push(&len);
        push(event);
    }
}

/// Entries of a buffer that getdents64(2) filled, without `.` and `..`.
fn directory_entries(mut buffer: &[u8]) -> impl Iterator<Item = HostEntry<'_>> {
    core::iter::from_fn(move || {
        loop {
            let ino = u64::from_le_bytes(buffer.get(..8)?.try_into().ok()?);
            let len = usize::from(u16::from_le_bytes(buffer.get(16..18)?.try_into().ok()?));
            let kind = *buffer.get(18)?;
            let name = buffer.get(19..len)?.split(|&byte| byte == 0).next()?;
            buffer = &buffer[len..];
            if name != b"." && name != b".." {
                return Some(HostEntry { name, ino, kind });
            }
        }
    })
}

/// How full the ring gets before the supervisor is called, in bytes: it has work to do on another processor.
const RING_BELL_AT: usize = control::RING_SIZE / 32;

/// Puts bytes into the event ring, waiting for the supervisor to make room if there is none.
fn push(mut bytes: &[u8]) {
    let total = bytes.len();
    let control = state::control();
    let ring: *mut u8 =
        ptr::with_exposed_provenance_mut(layout::CONTROL_BASE as usize + control::RING_OFFSET);
    while !bytes.is_empty() {
        let head = control.ring_head.load(Ordering::Relaxed);
        let room_seen = control.ring_room.load(Ordering::Acquire);
        let used = (head - control.ring_tail.load(Ordering::Acquire)) as usize;
        let at = head as usize % control::RING_SIZE;
        let len = bytes.len().min(control::RING_SIZE - used).min(control::RING_SIZE - at);
        if len == 0 {
            supervisor::call();
            token::wait(&control.ring_room, room_seen);
            continue;
        }
        // SAFETY: `at + len` lies in the ring, and the reader leaves bytes past the head alone.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), ring.add(at), len) };
        control.ring_head.store(head + len as u64, Ordering::Release);
        bytes = &bytes[len..];
    }
    let used = (control.ring_head.load(Ordering::Relaxed)
        - control.ring_tail.load(Ordering::Relaxed)) as usize;
    // Once on the way up: the supervisor empties the ring when it looks.
    if used > RING_BELL_AT && used - total <= RING_BELL_AT {
        supervisor::call();
    }
}
