//! Which number means which call, and how well it is covered.

use alloc::{format, string::String};

use linux_raw_sys::general as nr;
use simrun_abi::calls;

use super::{
    aio, aio_submit, attributes, clock, credentials, descriptors, directory, epoll, event, exec,
    fcntl, futex, futex_vector, groups, identity, inotify, io, ioctl, ipc, kcmp, kill, limits,
    locks, memory, memory_file, memory_of, message_queue, open, open_how, pidfd, pipe, prctl,
    process, ptrace, readiness, residence, sched, signal, signalfd, socket, splice, stat, system,
    thread, time, timers, tree, usage, volume, wait, xattr,
};
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
    /// time and leaves no trace, unless a thread does nothing else for long.
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
    __NR_pwrite64 "pwrite64" io::pwrite64, Call, Full;
    __NR_preadv "preadv" io::preadv, Call, Full;
    __NR_pwritev "pwritev" io::pwritev, Call, Full;
    __NR_preadv2 "preadv2" io::preadv2, Call, Full;
    __NR_pwritev2 "pwritev2" io::pwritev2, Call, Full;
    __NR_sendfile "sendfile" splice::sendfile, Call, Full;
    __NR_copy_file_range "copy_file_range" splice::copy_file_range, Call, Full;
    __NR_splice "splice" splice::splice, Call, Full;
    __NR_tee "tee" splice::tee, Call, Full;
    __NR_vmsplice "vmsplice" splice::vmsplice, Call, Full;
    __NR_fcntl "fcntl" fcntl::fcntl, Call, Partial("no leases; F_NOTIFY tells of nothing");
    __NR_close_range "close_range" descriptors::close_range, Call, Full;
    __NR_close "close" descriptors::close, Call, Full;
    __NR_dup "dup" descriptors::dup, Call, Full;
    __NR_dup2 "dup2" descriptors::dup2, Call, Full;
    __NR_dup3 "dup3" descriptors::dup3, Call, Full;
    __NR_ioctl "ioctl" ioctl::ioctl, Call, Partial("descriptors, terminals");
    __NR_lseek "lseek" io::lseek, Call, Full;
    __NR_pipe "pipe" pipe::pipe, Call, Full;
    __NR_pipe2 "pipe2" pipe::pipe2, Call, Full;

    // Asynchronous I/O.
    __NR_io_setup "io_setup" aio::io_setup, Call, Partial("the ring is not shown in memory");
    __NR_io_destroy "io_destroy" aio::io_destroy, Call, Full;
    __NR_io_submit "io_submit" aio_submit::io_submit, Call, Full;
    __NR_io_getevents "io_getevents" aio::io_getevents, Poll, Full;
    __NR_io_pgetevents "io_pgetevents" aio::io_pgetevents, Poll, Full;
    __NR_io_cancel "io_cancel" aio::io_cancel, Call, Full;

    // Readiness.
    __NR_poll "poll" readiness::poll, Poll, Full;
    __NR_ppoll "ppoll" readiness::ppoll, Poll, Full;
    __NR_select "select" readiness::select, Poll, Full;
    __NR_pselect6 "pselect6" readiness::pselect6, Poll, Full;
    __NR_epoll_create "epoll_create" epoll::epoll_create, Call, Full;
    __NR_epoll_create1 "epoll_create1" epoll::epoll_create1, Call, Full;
    __NR_epoll_ctl "epoll_ctl" epoll::epoll_ctl, Call, Full;
    __NR_epoll_wait "epoll_wait" epoll::epoll_wait, Poll, Full;
    __NR_epoll_pwait "epoll_pwait" epoll::epoll_pwait, Poll, Full;
    __NR_epoll_pwait2 "epoll_pwait2" epoll::epoll_pwait2, Poll, Full;
    __NR_eventfd "eventfd" event::eventfd, Call, Full;
    __NR_eventfd2 "eventfd2" event::eventfd2, Call, Full;
    __NR_inotify_init "inotify_init" inotify::inotify_init, Call, Full;
    __NR_inotify_init1 "inotify_init1" inotify::inotify_init1, Call, Full;
    __NR_inotify_add_watch "inotify_add_watch" inotify::inotify_add_watch, Call, Full;
    __NR_inotify_rm_watch "inotify_rm_watch" inotify::inotify_rm_watch, Call, Full;
    __NR_timerfd_create "timerfd_create" event::timerfd_create, Call, Full;
    __NR_timerfd_settime "timerfd_settime" event::timerfd_settime, Call, Full;
    __NR_timerfd_gettime "timerfd_gettime" event::timerfd_gettime, Call, Full;

    // Files by path.
    __NR_open "open" open::open, Call, Full;
    __NR_openat "openat" open::openat, Call, Full;
    __NR_openat2 "openat2" open_how::openat2, Call, Full;
    __NR_creat "creat" open::creat, Call, Full;
    __NR_stat "stat" stat::stat, Call, Full;
    __NR_lstat "lstat" stat::lstat, Call, Full;
    __NR_fstat "fstat" stat::fstat, Call, Full;
    __NR_newfstatat "newfstatat" stat::newfstatat, Call, Full;
    __NR_statx "statx" stat::statx, Call, Full;
    __NR_access "access" stat::access, Call, Full;
    __NR_faccessat "faccessat" stat::faccessat, Call, Full;
    __NR_faccessat2 "faccessat2" stat::faccessat2, Call, Full;
    __NR_readlink "readlink" stat::readlink, Place, Full;
    __NR_readlinkat "readlinkat" stat::readlinkat, Place, Full;
    __NR_getdents64 "getdents64" directory::getdents64, Call, Full;
    __NR_getdents "getdents" directory::getdents, Call, Full;
    __NR_getcwd "getcwd" directory::getcwd, Place, Full;
    __NR_chdir "chdir" directory::chdir, Call, Full;
    __NR_fchdir "fchdir" directory::fchdir, Call, Full;
    __NR_chroot "chroot" directory::chroot, Call, Full;
    __NR_flock "flock" locks::flock, Call, Full;
    __NR_memfd_create "memfd_create" memory_file::memfd_create, Call, Full;
    __NR_mkdir "mkdir" tree::mkdir, Call, Full;
    __NR_mkdirat "mkdirat" tree::mkdirat, Call, Full;
    __NR_mknod "mknod" tree::mknod, Call, Full;
    __NR_mknodat "mknodat" tree::mknodat, Call, Full;
    __NR_symlink "symlink" tree::symlink, Call, Full;
    __NR_symlinkat "symlinkat" tree::symlinkat, Call, Full;
    __NR_link "link" tree::link, Call, Full;
    __NR_linkat "linkat" tree::linkat, Call, Full;
    __NR_unlink "unlink" tree::unlink, Call, Full;
    __NR_unlinkat "unlinkat" tree::unlinkat, Call, Full;
    __NR_rmdir "rmdir" tree::rmdir, Call, Full;
    __NR_rename "rename" tree::rename, Call, Full;
    __NR_renameat "renameat" tree::renameat, Call, Full;
    __NR_renameat2 "renameat2" tree::renameat2, Call, Full;
    __NR_umask "umask" tree::umask, Call, Full;
    __NR_chmod "chmod" attributes::chmod, Call, Full;
    __NR_fchmod "fchmod" attributes::fchmod, Call, Full;
    __NR_fchmodat "fchmodat" attributes::fchmodat, Call, Full;
    __NR_fchmodat2 "fchmodat2" attributes::fchmodat2, Call, Full;
    __NR_chown "chown" attributes::chown, Call, Full;
    __NR_lchown "lchown" attributes::lchown, Call, Full;
    __NR_fchown "fchown" attributes::fchown, Call, Full;
    __NR_fchownat "fchownat" attributes::fchownat, Call, Full;
    __NR_utimensat "utimensat" attributes::utimensat, Call, Full;
    __NR_futimesat "futimesat" attributes::futimesat, Call, Full;
    __NR_utimes "utimes" attributes::utimes, Call, Full;
    __NR_utime "utime" attributes::utime, Call, Full;
    __NR_truncate "truncate" attributes::truncate, Call, Full;
    __NR_ftruncate "ftruncate" attributes::ftruncate, Call, Full;
    __NR_fallocate "fallocate" attributes::fallocate, Call, Full;
    __NR_getxattr "getxattr" xattr::getxattr, Call, Full;
    __NR_lgetxattr "lgetxattr" xattr::lgetxattr, Call, Full;
    __NR_fgetxattr "fgetxattr" xattr::fgetxattr, Call, Full;
    __NR_listxattr "listxattr" xattr::listxattr, Call, Full;
    __NR_llistxattr "llistxattr" xattr::llistxattr, Call, Full;
    __NR_flistxattr "flistxattr" xattr::flistxattr, Call, Full;
    __NR_setxattr "setxattr" xattr::setxattr, Call, Full;
    __NR_lsetxattr "lsetxattr" xattr::lsetxattr, Call, Full;
    __NR_fsetxattr "fsetxattr" xattr::fsetxattr, Call, Full;
    __NR_removexattr "removexattr" xattr::removexattr, Call, Full;
    __NR_lremovexattr "lremovexattr" xattr::lremovexattr, Call, Full;
    __NR_fremovexattr "fremovexattr" xattr::fremovexattr, Call, Full;
    __NR_statfs "statfs" volume::statfs, Call, Full;
    __NR_fstatfs "fstatfs" volume::fstatfs, Call, Full;
    __NR_sync "sync" volume::sync, Call, Full;
    __NR_syncfs "syncfs" volume::syncfs, Call, Full;
    __NR_fsync "fsync" volume::fsync, Call, Full;
    __NR_sync_file_range "sync_file_range" volume::sync_file_range, Call, Full;
    __NR_fadvise64 "fadvise64" volume::fadvise64, Call, Full;
    __NR_readahead "readahead" volume::readahead, Call, Full;
    __NR_fdatasync "fdatasync" volume::fdatasync, Call, Full;
    __NR_name_to_handle_at "name_to_handle_at" volume::name_to_handle_at, Call, Absent("as on a file system that exports none");

    // Memory.
    __NR_mmap "mmap" memory::mmap, Memory, Full;
    __NR_munmap "munmap" memory::munmap, Memory, Full;
    __NR_mprotect "mprotect" memory::mprotect, Memory, Full;
    __NR_brk "brk" memory::brk, Memory, Full;
    __NR_madvise "madvise" memory::madvise, Memory, Full;
    __NR_mremap "mremap" memory::mremap, Memory, Full;
    __NR_mincore "mincore" residence::mincore, Memory, Partial("all that is mapped is there");
    __NR_mlock "mlock" residence::mlock, Memory, Full;
    __NR_mlock2 "mlock2" residence::mlock2, Memory, Full;
    __NR_munlock "munlock" residence::munlock, Memory, Full;
    __NR_mlockall "mlockall" residence::mlockall, Memory, Full;
    __NR_munlockall "munlockall" residence::munlockall, Memory, Full;
    __NR_msync "msync" residence::msync, Memory, Full;
    __NR_pkey_alloc "pkey_alloc" residence::pkey_alloc, Memory, Absent("as on a processor without keys");
    __NR_pkey_free "pkey_free" residence::pkey_free, Memory, Absent("as on a processor without keys");
    __NR_pkey_mprotect "pkey_mprotect" residence::pkey_mprotect, Memory, Full;
    __NR_process_vm_readv "process_vm_readv" memory_of::process_vm_readv, Call, Full;
    __NR_process_vm_writev "process_vm_writev" memory_of::process_vm_writev, Call, Full;
    __NR_process_madvise "process_madvise" absent, Memory, Absent("as with CONFIG_ADVISE_SYSCALLS off");

    // Time.
    __NR_clock_gettime "clock_gettime" time::clock_gettime, Poll, Full;
    __NR_gettimeofday "gettimeofday" time::gettimeofday, Poll, Full;
    __NR_time "time" time::time, Poll, Full;
    __NR_nanosleep "nanosleep" time::nanosleep, Call, Full;
    __NR_clock_nanosleep "clock_nanosleep" time::clock_nanosleep, Call, Partial("not on a thread's processor time");
    __NR_clock_getres "clock_getres" clock::clock_getres, Call, Full;
    __NR_clock_settime "clock_settime" clock::clock_settime, Call, Full;
    __NR_settimeofday "settimeofday" clock::settimeofday, Call, Full;
    __NR_adjtimex "adjtimex" clock::adjtimex, Call, Partial("the clock cannot be steered");
    __NR_clock_adjtime "clock_adjtime" clock::clock_adjtime, Call, Partial("the clock cannot be steered");
    __NR_alarm "alarm" timers::alarm, Call, Full;
    __NR_getitimer "getitimer" timers::getitimer, Call, Full;
    __NR_setitimer "setitimer" timers::setitimer, Call, Full;
    __NR_timer_create "timer_create" timers::timer_create, Call, Full;
    __NR_timer_settime "timer_settime" timers::timer_settime, Call, Full;
    __NR_timer_gettime "timer_gettime" timers::timer_gettime, Call, Full;
    __NR_timer_getoverrun "timer_getoverrun" timers::timer_getoverrun, Call, Full;
    __NR_timer_delete "timer_delete" timers::timer_delete, Call, Full;

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
    __NR_sethostname "sethostname" system::sethostname, Call, Full;
    __NR_setdomainname "setdomainname" system::setdomainname, Call, Full;
    __NR_sysinfo "sysinfo" system::sysinfo, Call, Full;
    __NR_getresuid "getresuid" credentials::getresuid, Call, Full;
    __NR_getresgid "getresgid" credentials::getresgid, Call, Full;
    __NR_setuid "setuid" credentials::setuid, Call, Full;
    __NR_setgid "setgid" credentials::setgid, Call, Full;
    __NR_setreuid "setreuid" credentials::setreuid, Call, Full;
    __NR_setregid "setregid" credentials::setregid, Call, Full;
    __NR_setresuid "setresuid" credentials::setresuid, Call, Full;
    __NR_setresgid "setresgid" credentials::setresgid, Call, Full;
    __NR_setfsuid "setfsuid" credentials::setfsuid, Call, Full;
    __NR_setfsgid "setfsgid" credentials::setfsgid, Call, Full;
    __NR_getgroups "getgroups" credentials::getgroups, Call, Full;
    __NR_setgroups "setgroups" credentials::setgroups, Call, Full;
    __NR_capget "capget" credentials::capget, Call, Full;
    __NR_capset "capset" credentials::capset, Call, Full;
    __NR_prctl "prctl" prctl::prctl, Call, Partial("options that have an effect here");
    __NR_personality "personality" prctl::personality, Call, Partial("kept, without effect");
    __NR_getrlimit "getrlimit" limits::getrlimit, Call, Full;
    __NR_setrlimit "setrlimit" limits::setrlimit, Call, Full;
    __NR_prlimit64 "prlimit64" limits::prlimit64, Call, Full;
    __NR_getrusage "getrusage" usage::getrusage, Poll, Partial("processor time and memory only");
    __NR_times "times" usage::times, Poll, Full;

    // Processes.
    __NR_execve "execve" exec::execve, Call, Full;
    __NR_clone "clone" process::clone, Call, Full;
    __NR_clone3 "clone3" process::clone3, Call, Full;
    __NR_fork "fork" process::fork, Call, Full;
    __NR_vfork "vfork" process::vfork, Call, Full;
    __NR_execveat "execveat" exec::execveat, Call, Full;
    __NR_unshare "unshare" process::unshare, Call, Partial("no namespaces");
    __NR_exit "exit" process::exit, Call, Full;
    __NR_exit_group "exit_group" process::exit_group, Call, Full;
    __NR_wait4 "wait4" wait::wait4, Call, Full;
    __NR_waitid "waitid" wait::waitid, Call, Full;
    __NR_setpgid "setpgid" groups::setpgid, Call, Full;
    __NR_getpgid "getpgid" groups::getpgid, Call, Full;
    __NR_getpgrp "getpgrp" groups::getpgrp, Call, Full;
    __NR_setsid "setsid" groups::setsid, Call, Full;
    __NR_getsid "getsid" groups::getsid, Call, Full;
    __NR_pidfd_open "pidfd_open" pidfd::pidfd_open, Call, Full;
    __NR_pidfd_send_signal "pidfd_send_signal" pidfd::pidfd_send_signal, Call, Full;
    __NR_pidfd_getfd "pidfd_getfd" pidfd::pidfd_getfd, Call, Full;
    __NR_kcmp "kcmp" kcmp::kcmp, Call, Full;

    // Threads and futexes.
    __NR_arch_prctl "arch_prctl" thread::arch_prctl, Memory, Full;
    __NR_set_tid_address "set_tid_address" thread::set_tid_address, Call, Full;
    __NR_set_robust_list "set_robust_list" thread::set_robust_list, Memory, Full;
    __NR_get_robust_list "get_robust_list" thread::get_robust_list, Call, Full;
    __NR_sched_yield "sched_yield" thread::sched_yield, Poll, Full;
    __NR_futex "futex" futex::futex, Call, Full;
    __NR_futex_waitv "futex_waitv" futex_vector::futex_waitv, Call, Full;
    __NR_membarrier "membarrier" prctl::membarrier, Memory, Full;
    __NR_sched_getaffinity "sched_getaffinity" sched::sched_getaffinity, Call, Full;
    __NR_sched_setaffinity "sched_setaffinity" sched::sched_setaffinity, Call, Full;
    __NR_getcpu "getcpu" sched::getcpu, Call, Full;
    __NR_sched_setscheduler "sched_setscheduler" sched::sched_setscheduler, Call, Full;
    __NR_sched_getscheduler "sched_getscheduler" sched::sched_getscheduler, Call, Full;
    __NR_sched_setparam "sched_setparam" sched::sched_setparam, Call, Full;
    __NR_sched_getparam "sched_getparam" sched::sched_getparam, Call, Full;
    __NR_sched_setattr "sched_setattr" sched::sched_setattr, Call, Partial("no deadline policy");
    __NR_sched_getattr "sched_getattr" sched::sched_getattr, Call, Full;
    __NR_sched_get_priority_max "sched_get_priority_max" sched::sched_get_priority_max, Call, Full;
    __NR_sched_get_priority_min "sched_get_priority_min" sched::sched_get_priority_min, Call, Full;
    __NR_sched_rr_get_interval "sched_rr_get_interval" sched::sched_rr_get_interval, Call, Full;
    __NR_getpriority "getpriority" sched::getpriority, Call, Full;
    __NR_setpriority "setpriority" sched::setpriority, Call, Full;
    __NR_ioprio_get "ioprio_get" sched::ioprio_get, Call, Full;
    __NR_ioprio_set "ioprio_set" sched::ioprio_set, Call, Full;

    // Signals.
    __NR_rt_sigaction "rt_sigaction" signal::rt_sigaction, Call, Full;
    __NR_rt_sigprocmask "rt_sigprocmask" signal::rt_sigprocmask, Call, Full;
    __NR_rt_sigpending "rt_sigpending" signal::rt_sigpending, Call, Full;
    __NR_rt_sigreturn "rt_sigreturn" signal::rt_sigreturn, Call, Full;
    __NR_rt_sigsuspend "rt_sigsuspend" signal::rt_sigsuspend, Call, Full;
    __NR_rt_sigtimedwait "rt_sigtimedwait" signal::rt_sigtimedwait, Call, Full;
    __NR_sigaltstack "sigaltstack" signal::sigaltstack, Call, Full;
    __NR_pause "pause" signal::pause, Call, Full;
    __NR_restart_syscall "restart_syscall" signal::restart_syscall, Call, Full;
    __NR_signalfd "signalfd" signalfd::signalfd, Call, Full;
    __NR_signalfd4 "signalfd4" signalfd::signalfd4, Call, Full;
    __NR_kill "kill" kill::kill, Call, Full;
    __NR_tkill "tkill" kill::tkill, Call, Full;
    __NR_tgkill "tgkill" kill::tgkill, Call, Full;
    __NR_rt_sigqueueinfo "rt_sigqueueinfo" kill::rt_sigqueueinfo, Call, Full;
    __NR_rt_tgsigqueueinfo "rt_tgsigqueueinfo" kill::rt_tgsigqueueinfo, Call, Full;

    // IPC of System V, and POSIX message queues.
    __NR_shmget "shmget" ipc::shmget, Call, Full;
    __NR_shmat "shmat" ipc::shmat, Place, Full;
    __NR_shmctl "shmctl" ipc::shmctl, Call, Full;
    __NR_shmdt "shmdt" ipc::shmdt, Call, Full;
    __NR_semget "semget" ipc::semget, Call, Full;
    __NR_semop "semop" ipc::semop, Call, Full;
    __NR_semctl "semctl" ipc::semctl, Call, Full;
    __NR_semtimedop "semtimedop" ipc::semtimedop, Call, Full;
    __NR_msgget "msgget" ipc::msgget, Call, Full;
    __NR_msgsnd "msgsnd" ipc::msgsnd, Call, Full;
    __NR_msgrcv "msgrcv" ipc::msgrcv, Call, Full;
    __NR_msgctl "msgctl" ipc::msgctl, Call, Full;
    __NR_mq_open "mq_open" message_queue::mq_open, Call, Full;
    __NR_mq_unlink "mq_unlink" message_queue::mq_unlink, Call, Full;
    __NR_mq_timedsend "mq_timedsend" message_queue::mq_timedsend, Call, Full;
    __NR_mq_timedreceive "mq_timedreceive" message_queue::mq_timedreceive, Call, Full;
    __NR_mq_notify "mq_notify" message_queue::mq_notify, Call, Full;
    __NR_mq_getsetattr "mq_getsetattr" message_queue::mq_getsetattr, Call, Full;

    // Sockets.
    __NR_socket "socket" socket::socket, Call, Full;
    __NR_bind "bind" socket::bind, Call, Full;
    __NR_listen "listen" socket::listen, Call, Full;
    __NR_accept "accept" socket::accept, Call, Full;
    __NR_accept4 "accept4" socket::accept4, Call, Full;
    __NR_connect "connect" socket::connect, Call, Full;
    __NR_getsockname "getsockname" socket::getsockname, Call, Full;
    __NR_getpeername "getpeername" socket::getpeername, Call, Full;
    __NR_shutdown "shutdown" socket::shutdown, Call, Full;
    __NR_sendto "sendto" socket::sendto, Call, Full;
    __NR_recvfrom "recvfrom" socket::recvfrom, Call, Full;
    __NR_socketpair "socketpair" socket::socketpair, Call, Full;
    __NR_sendmsg "sendmsg" socket::sendmsg, Call, Full;
    __NR_recvmsg "recvmsg" socket::recvmsg, Call, Full;
    __NR_sendmmsg "sendmmsg" socket::sendmmsg, Call, Full;
    __NR_recvmmsg "recvmmsg" socket::recvmmsg, Call, Full;
    __NR_setsockopt "setsockopt" socket::setsockopt, Call, Full;
    __NR_getsockopt "getsockopt" socket::getsockopt, Call, Full;

    // Not on this machine.
    __NR_rseq "rseq" absent, Memory, Absent("glibc does without");
    __NR_io_uring_setup "io_uring_setup" absent, Call, Absent("as with CONFIG_IO_URING off");
    __NR_ptrace "ptrace" ptrace::ptrace, Call, Partial("no debug registers, no system call emulation");
    __NR_seccomp "seccomp" system::seccomp, Call, Absent("as with CONFIG_SECCOMP_FILTER off");
    __NR_umount2 "umount2" system::refused, Call, Absent("for the administrator");
    __NR_mount "mount" system::refused, Call, Absent("for the administrator");
    __NR_swapon "swapon" system::refused, Call, Absent("for the administrator");
    __NR_swapoff "swapoff" system::refused, Call, Absent("for the administrator");
    __NR_reboot "reboot" system::refused, Call, Absent("for the administrator");
    __NR_iopl "iopl" system::refused, Call, Absent("for the administrator");
    __NR_ioperm "ioperm" system::refused, Call, Absent("for the administrator");
    __NR_init_module "init_module" system::refused, Call, Absent("for the administrator");
    __NR_finit_module "finit_module" system::refused, Call, Absent("for the administrator");
    __NR_delete_module "delete_module" system::refused, Call, Absent("for the administrator");
    __NR_pivot_root "pivot_root" system::refused, Call, Absent("for the administrator");
    __NR_acct "acct" system::refused, Call, Absent("for the administrator");
    __NR_vhangup "vhangup" system::refused, Call, Absent("for the administrator");
    __NR_quotactl "quotactl" system::refused, Call, Absent("for the administrator");
    __NR_quotactl_fd "quotactl_fd" system::refused, Call, Absent("for the administrator");
    __NR_kexec_load "kexec_load" system::refused, Call, Absent("for the administrator");
    __NR_kexec_file_load "kexec_file_load" system::refused, Call, Absent("for the administrator");
    __NR_setns "setns" system::refused, Call, Absent("for the administrator");
    __NR_open_tree "open_tree" system::refused, Call, Absent("for the administrator");
    __NR_move_mount "move_mount" system::refused, Call, Absent("for the administrator");
    __NR_fsopen "fsopen" system::refused, Call, Absent("for the administrator");
    __NR_fsconfig "fsconfig" system::refused, Call, Absent("for the administrator");
    __NR_fsmount "fsmount" system::refused, Call, Absent("for the administrator");
    __NR_fspick "fspick" system::refused, Call, Absent("for the administrator");
    __NR_mount_setattr "mount_setattr" system::refused, Call, Absent("for the administrator");
    __NR_open_by_handle_at "open_by_handle_at" system::refused, Call, Absent("for the administrator");
    __NR_fanotify_init "fanotify_init" system::refused, Call, Absent("for the administrator");
    __NR_syslog "syslog" system::refused, Call, Absent("for the administrator");
    __NR_statmount "statmount" system::refused, Call, Absent("for the administrator");
    __NR_listmount "listmount" system::refused, Call, Absent("for the administrator");
    __NR_bpf "bpf" absent, Call, Absent("as with CONFIG_BPF_SYSCALL off");
    __NR_perf_event_open "perf_event_open" absent, Call, Absent("as with CONFIG_PERF_EVENTS off");
    __NR_userfaultfd "userfaultfd" absent, Call, Absent("as with CONFIG_USERFAULTFD off");
    __NR_io_uring_enter "io_uring_enter" absent, Call, Absent("as with CONFIG_IO_URING off");
    __NR_io_uring_register "io_uring_register" absent, Call, Absent("as with CONFIG_IO_URING off");
    __NR_landlock_create_ruleset "landlock_create_ruleset" absent, Call, Absent("as with CONFIG_SECURITY_LANDLOCK off");
    __NR_landlock_add_rule "landlock_add_rule" absent, Call, Absent("as with CONFIG_SECURITY_LANDLOCK off");
    __NR_landlock_restrict_self "landlock_restrict_self" absent, Call, Absent("as with CONFIG_SECURITY_LANDLOCK off");
    __NR_add_key "add_key" absent, Call, Absent("as with CONFIG_KEYS off");
    __NR_request_key "request_key" absent, Call, Absent("as with CONFIG_KEYS off");
    __NR_keyctl "keyctl" absent, Call, Absent("as with CONFIG_KEYS off");
    __NR_set_thread_area "set_thread_area" absent, Call, Absent("as on a Linux without it");
    __NR_get_thread_area "get_thread_area" absent, Call, Absent("as on a Linux without it");
    __NR_modify_ldt "modify_ldt" absent, Call, Absent("as with CONFIG_MODIFY_LDT_SYSCALL off");
    __NR_uselib "uselib" absent, Call, Absent("as with CONFIG_USELIB off");
    __NR_ustat "ustat" absent, Call, Absent("as on a Linux without it");
    __NR_sysfs "sysfs" absent, Call, Absent("as with CONFIG_SYSFS_SYSCALL off");
    __NR__sysctl "_sysctl" absent, Call, Absent("as on a Linux without it");
    __NR_create_module "create_module" absent, Call, Absent("as on a Linux without it");
    __NR_get_kernel_syms "get_kernel_syms" absent, Call, Absent("as on a Linux without it");
    __NR_query_module "query_module" absent, Call, Absent("as on a Linux without it");
    __NR_nfsservctl "nfsservctl" absent, Call, Absent("as on a Linux without it");
    __NR_getpmsg "getpmsg" absent, Call, Absent("as on a Linux without it");
    __NR_putpmsg "putpmsg" absent, Call, Absent("as on a Linux without it");
    __NR_afs_syscall "afs_syscall" absent, Call, Absent("as on a Linux without it");
    __NR_tuxcall "tuxcall" absent, Call, Absent("as on a Linux without it");
    __NR_security "security" absent, Call, Absent("as on a Linux without it");
    __NR_vserver "vserver" absent, Call, Absent("as on a Linux without it");
    __NR_epoll_ctl_old "epoll_ctl_old" absent, Call, Absent("as on a Linux without it");
    __NR_epoll_wait_old "epoll_wait_old" absent, Call, Absent("as on a Linux without it");
    __NR_lookup_dcookie "lookup_dcookie" absent, Call, Absent("as with CONFIG_PROFILING off");
    __NR_fanotify_mark "fanotify_mark" absent, Call, Absent("as with CONFIG_FANOTIFY off");
    __NR_remap_file_pages "remap_file_pages" absent, Call, Absent("as on a Linux without it");
    __NR_migrate_pages "migrate_pages" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_move_pages "move_pages" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_mbind "mbind" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_set_mempolicy "set_mempolicy" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_get_mempolicy "get_mempolicy" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_set_mempolicy_home_node "set_mempolicy_home_node" absent, Call, Absent("as with CONFIG_NUMA off");
    __NR_memfd_secret "memfd_secret" absent, Call, Absent("as with CONFIG_SECRETMEM off");
    __NR_process_mrelease "process_mrelease" absent, Call, Absent("as with CONFIG_MMU off");
    __NR_futex_wake "futex_wake" absent, Call, Absent("as on a Linux without it");
    __NR_futex_wait "futex_wait" absent, Call, Absent("as on a Linux without it");
    __NR_futex_requeue "futex_requeue" absent, Call, Absent("as on a Linux without it");
    __NR_cachestat "cachestat" absent, Call, Absent("as with CONFIG_CACHESTAT_SYSCALL off");
    __NR_map_shadow_stack "map_shadow_stack" absent, Call, Absent("as with CONFIG_X86_USER_SHADOW_STACK off");
    __NR_lsm_get_self_attr "lsm_get_self_attr" absent, Call, Absent("as with CONFIG_SECURITY off");
    __NR_lsm_set_self_attr "lsm_set_self_attr" absent, Call, Absent("as with CONFIG_SECURITY off");
    __NR_lsm_list_modules "lsm_list_modules" absent, Call, Absent("as with CONFIG_SECURITY off");
    __NR_mseal "mseal" absent, Call, Absent("as on a Linux without it");
    __NR_uretprobe "uretprobe" absent, Call, Absent("as with CONFIG_UPROBES off");
    __NR_open_tree_attr "open_tree_attr" absent, Call, Absent("as on a Linux without it");
    __NR_setxattrat "setxattrat" absent, Call, Absent("as on a Linux without it");
    __NR_getxattrat "getxattrat" absent, Call, Absent("as on a Linux without it");
    __NR_listxattrat "listxattrat" absent, Call, Absent("as on a Linux without it");
    __NR_removexattrat "removexattrat" absent, Call, Absent("as on a Linux without it");
    __NR_file_getattr "file_getattr" absent, Call, Absent("as on a Linux without it");
    __NR_file_setattr "file_setattr" absent, Call, Absent("as on a Linux without it");
};
