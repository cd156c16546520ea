//! The first process of a run: made by fork, it becomes the kernel image.

use std::{
    arch::asm,
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    ptr,
};

use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::{ForkResult, Pid, fork, getpid},
};
use simrun_abi::layout::{self, fds};

use super::{image, memory::Memory, watch::Watch};

/// What the child does between fork and the image, worked out before: afterwards it may not allocate.
struct Plan {
    descriptors: [(RawFd, RawFd); 9],
    supervisor: Pid,
    mappings: Vec<Mapping>,
    processor: Option<CpuSet>,
    rseq: Option<Rseq>,
    entry: u64,
}

/// A core size limit that also keeps a crash handler from being started: zero does not (core(5)).
const CORE_SIZE_NONE: libc::rlim_t = 1;

/// The standard streams of the workload, as descriptors of simrun.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    /// Standard input.
    pub stdin: RawFd,
    /// Standard output.
    pub stdout: RawFd,
    /// Standard error.
    pub stderr: RawFd,
}

impl Streams {
    /// simrun's own.
    pub fn own() -> Self {
        Self { stdin: libc::STDIN_FILENO, stdout: libc::STDOUT_FILENO, stderr: libc::STDERR_FILENO }
    }
}

/// Where the C library has registered the restartable sequence area of this thread (rseq(2)). It must be taken
/// back before the memory goes, or the host kernel kills the process at its next switch.
#[derive(Clone, Copy)]
struct Rseq {
    address: usize,
    size: usize,
}

/// Size of `struct rseq` as first published; the C library registers at least that.
const RSEQ_SIZE_MIN: usize = 32;
/// Signature that glibc registers with on x86-64.
const RSEQ_SIGNATURE: usize = 0x5305_3053;
const RSEQ_FLAG_UNREGISTER: usize = 1;

impl Rseq {
    /// The area of the thread that will fork; `None` where the C library has none.
    fn of_this_thread() -> Option<Self> {
        // SAFETY: glibc documents both symbols (since 2.35) as `const ptrdiff_t` and `const unsigned int`.
        unsafe {
            let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
            let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
            if offset.is_null() || size.is_null() || *size == 0 {
                return None;
            }
            let thread: usize;
            asm!("mov {}, fs:0", out(reg) thread, options(nostack, readonly, preserves_flags));
            Some(Self {
                address: thread.wrapping_add_signed(*offset),
                size: (*size as usize).max(RSEQ_SIZE_MIN),
            })
        }
    }

    /// # Safety
    /// Only in a child that was just forked.
    unsafe fn unregister(self) {
        // SAFETY: the C library of this process is not used again.
        unsafe {
            libc::syscall(
                libc::SYS_rseq,
                self.address,
                self.size,
                RSEQ_FLAG_UNREGISTER,
                RSEQ_SIGNATURE,
            )
        };
    }
}

struct Mapping {
    address: u64,
    size: u64,
    protection: i32,
    flags: i32,
    fd: RawFd,
    offset: u64,
}

/// Starts the first process.
///
/// # Errors
/// When the host makes no process.
pub fn spawn(
    memory: &Memory,
    streams: &Streams,
    watch: &Watch,
    processor: Option<usize>,
) -> io::Result<Pid> {
    let plan = Plan::new(memory, streams, watch, processor)?;
    // SAFETY: the child only makes system calls until it jumps into the image.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        // SAFETY: this is the child.
        ForkResult::Child => unsafe { plan.become_image() },
    }
}

impl Plan {
    fn new(
        memory: &Memory,
        streams: &Streams,
        watch: &Watch,
        processor: Option<usize>,
    ) -> io::Result<Self> {
        let mappings = mappings(memory);
        let processor = match processor {
            None => None,
            Some(number) => {
                let mut set = CpuSet::new();
                set.set(number)?;
                Some(set)
            }
        };
        let descriptors = [
            (memory.image.as_raw_fd(), fds::IMAGE),
            (memory.arena.as_raw_fd(), fds::ARENA),
            (memory.control_file.as_raw_fd(), fds::CONTROL),
            (streams.stdin, fds::STDIN),
            (streams.stdout, fds::STDOUT),
            (streams.stderr, fds::STDERR),
            (memory.preload.as_raw_fd(), fds::PRELOAD),
            (memory.capture.as_raw_fd(), fds::CAPTURE),
            (watch.bell().as_fd().as_raw_fd(), fds::BELL),
        ];
        let rseq = Rseq::of_this_thread();
        let supervisor = getpid();
        Ok(Self { descriptors, supervisor, mappings, processor, rseq, entry: image::entry() })
    }

    /// # Safety
    /// Only in a child that was just forked; it does not return.
    unsafe fn become_image(&self) -> ! {
        // SAFETY: system calls only, on ranges that nothing of this process lies in; then the image takes over and
        // never comes back.
        unsafe {
            libc::setsid();
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != self.supervisor.as_raw() {
                libc::_exit(125);
            }
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            set_limits();
            if let Some(set) = &self.processor {
                // The host may forbid it; the run is slower then, not different.
                let _ = sched_setaffinity(Pid::from_raw(0), set);
            }
            for (from, to) in self.descriptors {
                if libc::dup2(from, to) < 0 {
                    fail(c"simrun: a descriptor cannot be set up\n");
                }
            }
            for mapping in &self.mappings {
                let place = libc::mmap(
                    ptr::with_exposed_provenance_mut(mapping.address as usize),
                    mapping.size as usize,
                    mapping.protection,
                    mapping.flags,
                    mapping.fd,
                    mapping.offset as i64,
                );
                if place.addr() as u64 != mapping.address {
                    fail(c"simrun: the kernel image cannot be mapped\n");
                }
            }
            close_others();
            if let Some(rseq) = self.rseq {
                rseq.unregister();
            }
            libc::syscall(libc::SYS_set_robust_list, 0, 24);
            libc::syscall(libc::SYS_set_tid_address, 0);
            asm!("jmp {}", in(reg) self.entry, options(noreturn));
        }
    }
}

/// Descriptors of the simulation go from here up; all of the supervisor's other ones are closed.
unsafe fn close_others() {
    // SAFETY: plain calls; nothing here uses the descriptors any more.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, fds::IMAGE as u32 - 1, 0);
        libc::syscall(libc::SYS_close_range, fds::LAST as u32 + 1, u32::MAX, 0);
    }
}

/// Descriptors as many as may be; no core dumps, because crashes are simulated.
unsafe fn set_limits() {
    // SAFETY: plain calls on a local structure.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
        if libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max.min(CORE_SIZE_NONE);
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
    }
}

unsafe fn fail(message: &std::ffi::CStr) -> ! {
    // SAFETY: plain calls.
    unsafe {
        libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.to_bytes().len());
        libc::_exit(125)
    }
}

/// All that the image expects to be mapped.
fn mappings(memory: &Memory) -> Vec<Mapping> {
    let shared = |address, size, protection, fd, offset| Mapping {
        address,
        size,
        protection,
        flags: libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE | libc::MAP_NORESERVE,
        fd,
        offset,
    };
    let read_write = libc::PROT_READ | libc::PROT_WRITE;
    let mut mappings: Vec<_> = image::segments()
        .iter()
        .map(|segment| {
            let start = segment.address & !4095;
            let size = segment.address + segment.memory_size - start;
            let (fd, offset) = match &memory.own_file {
                Some(own) if segment.is_constant() => {
                    (own.file.as_raw_fd(), own.offset + (segment.offset & !4095))
                }
                _ => (memory.image.as_raw_fd(), start - layout::IMAGE_BASE),
            };
            shared(start, size, segment.protection, fd, offset)
        })
        .collect();
    mappings.push(shared(
        layout::ARENA_BASE,
        layout::ARENA_SIZE,
        read_write,
        memory.arena.as_raw_fd(),
        0,
    ));
    mappings.push(shared(
        layout::CONTROL_BASE,
        layout::CONTROL_SIZE,
        read_write,
        memory.control_file.as_raw_fd(),
        0,
    ));
    mappings.push(Mapping {
        address: layout::TRAP_STACK_TOP - layout::TRAP_STACK_SIZE,
        size: layout::TRAP_STACK_SIZE,
        protection: read_write,
        flags: libc::MAP_PRIVATE
            | libc::MAP_ANONYMOUS
            | libc::MAP_FIXED_NOREPLACE
            | libc::MAP_NORESERVE,
        fd: -1,
        offset: 0,
    });
    mappings
}
