//! Which number means which call, and how well it is covered.

use alloc::{format, string::String};

use linux_raw_sys::general as nr;
use simrun_abi::calls;

use super::{exec, file, futex, identity, io, memory, pipe, process, readiness, thread, time};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::Call,
};

/// Decodes and does one call.
pub type Handler = fn(&mut Context<'_>, [u64; 6]) -> Result<Outcome>;

/// What a call is to the clock, the scheduler and the fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Takes time, may end the thread's turn, and its result is part of the fingerprint.
    Call,
    /// As `Call`, but its result depends on where files lie on the host (a path's length): it stays out of the
    /// fingerprint.
    Place,
    /// By it a program can wait for time to pass; see [`crate::time::Clock::charge_poll`].
    Poll,
    /// A place where only the scheduler has something to do: it costs next to nothing.
    Point,
    /// Memory management: how much a program does of it depends on the size of its environment, so it takes no
    /// time and leaves no trace.
    Memory,
}

/// How well a call is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// As Linux, as far as we know.
    Full,
    /// Less than Linux: the note says what is missing.
    Partial(&'static str),
    /// Fails as on a Linux without it; the note says why.
    Absent(&'static str),
}

/// One call.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What does it.
    pub handler: Handler,
    /// What it is to clock, scheduler and fingerprint.
    pub class: Class,
    /// How well it is covered.
    pub coverage: Coverage,
}

impl Row {
    /// The call in the manner of strace, without its result.
    #[must_use]
    pub fn describe(&self, call: &Call) -> String {
        let [a, b, c, d, e, f] = call.arguments;
        if self.name.is_empty() {
            return format!(
                "syscall_{}({a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}, {f:#x})",
                call.number
            );
        }
        format!("{}({a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}, {f:#x})", self.name)
    }
}

/// One more than the largest number.
pub const NUMBERS: usize = 512;

static UNKNOWN: Row = Row {
    name: "",
    handler: unknown,
    class: Class::Call,
    coverage: Coverage::Absent("not supported"),
};

static POINT: Row = Row {
    name: "simrun_point",
    handler: thread::point,
    class: Class::Point,
    coverage: Coverage::Full,
};

static SPIN: Row = Row {
    name: "simrun_spin",
    handler: thread::sched_yield,
    class: Class::Poll,
    coverage: Coverage::Full,
};

fn unknown(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    let number = cx.call().number;
    let what = format!("system call {number}");
    let program = cx.program();
    cx.kernel.machine.escape(
        cx.host,
        &what,
        &program,
        "it is not supported and failed with ENOSYS",
    );
    Err(Error::new(Errno::ENOSYS, "not supported"))
}

fn absent(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Error::new(Errno::ENOSYS, "as on a Linux without it"))
}

/// The row of a number.
#[must_use]
pub fn row(number: u64) -> &'static Row {
    match number {
        calls::POINT => &POINT,
        calls::SPIN => &SPIN,
        _ => TABLE.get(number as usize).unwrap_or(&UNKNOWN),
    }
}

/// All rows that have a name, with their numbers.
pub fn rows() -> impl Iterator<Item = (usize, &'static Row)> {
    TABLE.iter().enumerate().filter(|(_, row)| !row.name.is_empty())
}

macro_rules! table {
    ($($number:ident $name:literal $handler:path, $class:ident, $coverage:expr;)*) => {{
        use Class::*;
        use Coverage::*;
        let mut table = [UNKNOWN; NUMBERS];
        $(table[nr::$number as usize] = Row { name: $name, handler: $handler, class: $class, coverage: $coverage };)*
        table
    }};
}

static TABLE: [Row; NUMBERS] = table! {
    // Descriptors and data.
    __NR_read "read" io::read, Call, Full;
    __NR_write "write" io::write, Call, Full;
    __NR_readv "readv" io::readv, Call, Full;
    __NR_writev "writev" io::writev, Call, Full;
    __NR_pread64 "pread64" io::pread64, Call, Full;
    __NR_close "close" io::close, Call, Full;
    __NR_dup "dup" io::dup, Call, Full;
    __NR_dup2 "dup2" io::dup2, Call, Full;
    __NR_dup3 "dup3" io::dup3, Call, Full;
    __NR_lseek "lseek" io::lseek, Call, Full;
    __NR_pipe "pipe" pipe::pipe, Call, Full;
    __NR_pipe2 "pipe2" pipe::pipe2, Call, Full;

    // Readiness.
    __NR_poll "poll" readiness::poll, Call, Full;
    __NR_ppoll "ppoll" readiness::ppoll, Call, Full;
    __NR_select "select" readiness::select, Call, Full;
    __NR_pselect6 "pselect6" readiness::pselect6, Call, Full;

    // Files by path.
    __NR_openat "openat" file::openat, Call, Full;
    __NR_open "open" file::open, Call, Full;
    __NR_fstat "fstat" file::fstat, Call, Full;
    __NR_newfstatat "newfstatat" file::newfstatat, Call, Full;
    __NR_access "access" file::access, Call, Full;
    __NR_readlink "readlink" file::readlink, Place, Full;
    __NR_getcwd "getcwd" file::getcwd, Place, Full;

    // Memory.
    __NR_mmap "mmap" memory::mmap, Memory, Full;
    __NR_munmap "munmap" memory::munmap, Memory, Full;
    __NR_mprotect "mprotect" memory::mprotect, Memory, Full;
    __NR_brk "brk" memory::brk, Memory, Full;
    __NR_madvise "madvise" memory::madvise, Memory, Full;
    __NR_mremap "mremap" memory::mremap, Memory, Full;

    // Time.
    __NR_clock_gettime "clock_gettime" time::clock_gettime, Poll, Full;
    __NR_gettimeofday "gettimeofday" time::gettimeofday, Poll, Full;
    __NR_time "time" time::time, Poll, Full;
    __NR_nanosleep "nanosleep" time::nanosleep, Call, Full;
    __NR_clock_nanosleep "clock_nanosleep" time::clock_nanosleep, Call, Full;

    // Identity and machine.
    __NR_getpid "getpid" identity::getpid, Call, Full;
    __NR_gettid "gettid" identity::gettid, Call, Full;
    __NR_getppid "getppid" identity::getppid, Call, Full;
    __NR_getuid "getuid" identity::getuid, Call, Full;
    __NR_geteuid "geteuid" identity::geteuid, Call, Full;
    __NR_getgid "getgid" identity::getgid, Call, Full;
    __NR_getegid "getegid" identity::getegid, Call, Full;
    __NR_getrandom "getrandom" identity::getrandom, Call, Full;
    __NR_uname "uname" identity::uname, Call, Full;

    // Processes.
    __NR_execve "execve" exec::execve, Call, Full;
    __NR_clone "clone" process::clone, Call, Full;
    __NR_fork "fork" process::fork, Call, Full;
    __NR_vfork "vfork" process::vfork, Call, Full;
    __NR_exit "exit" process::exit, Call, Full;
    __NR_exit_group "exit_group" process::exit_group, Call, Full;
    __NR_wait4 "wait4" process::wait4, Call, Full;

    // Threads and futexes.
    __NR_arch_prctl "arch_prctl" thread::arch_prctl, Memory, Full;
    __NR_set_tid_address "set_tid_address" thread::set_tid_address, Call, Full;
    __NR_set_robust_list "set_robust_list" thread::set_robust_list, Memory, Full;
    __NR_sched_yield "sched_yield" thread::sched_yield, Poll, Full;
    __NR_futex "futex" futex::futex, Call, Full;

    // Signals.


    // Sockets.


    // Not on this machine.
    __NR_rseq "rseq" absent, Memory, Absent("glibc does without");
    __NR_clone3 "clone3" absent, Memory, Absent("glibc falls back to clone");
    __NR_io_uring_setup "io_uring_setup" absent, Call, Absent("as with CONFIG_IO_URING off");
};
