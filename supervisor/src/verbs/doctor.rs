//! Says what this machine allows, and what each missing thing costs.

use std::{
    arch::x86_64::__cpuid_count,
    fs,
    io::{self, Write},
};

use super::Failure;
use crate::{
    cli::Arguments,
    exit,
    launch::{self, Ending, Outcome, Streams},
    plan::{Plan, Subject},
    report,
};

/// What was found of one thing.
enum Finding {
    /// As it should be.
    Good(String),
    /// Runs work, but: what it costs.
    Worse(String, &'static str),
    /// No run works: why.
    Fatal(String, &'static str),
}

/// Prints what was found; fails if no run can work.
///
/// # Errors
/// When it cannot be written.
pub fn doctor() -> Result<u8, Failure> {
    let mut out = io::stdout().lock();
    let mut fatal = false;
    for (name, look) in CHECKS {
        let (mark, found, cost) = match look() {
            Finding::Good(found) => ("ok  ", found, ""),
            Finding::Worse(found, cost) => ("warn", found, cost),
            Finding::Fatal(found, cost) => {
                fatal = true;
                ("FAIL", found, cost)
            }
        };
        let separator = if cost.is_empty() { "" } else { ": " };
        let written = writeln!(out, "{mark}  {name:<16} {found}{separator}{cost}");
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(source) => {
                return Err(Failure::File { doing: "the findings cannot be written", source });
            }
            Ok(()) => {}
        }
    }
    Ok(if fatal { exit::FAILED } else { 0 })
}

type Check = (&'static str, fn() -> Finding);

const CHECKS: [Check; 11] = [
    ("kernel", kernel),
    ("seccomp", seccomp),
    ("fsgsbase", fsgsbase),
    ("time stamp", time_stamp),
    ("memory files", memory_files),
    ("limits", limits),
    ("processors", processors),
    ("rdrand", processor_random),
    ("AMX", amx),
    ("shadow stacks", shadow_stacks),
    ("a run", trial_run),
];

/// Oldest kernel that simrun was made for: `SECCOMP_FILTER_FLAG_SPEC_ALLOW` (4.17), `FSGSBASE` (5.9), `close_range`
/// (5.9).
const KERNEL_MIN: (u32, u32) = (5, 9);

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim().to_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < KERNEL_MIN {
        return Finding::Fatal(release, "Linux 5.9 or later is needed");
    }
    Finding::Good(format!("Linux {release}"))
}

fn seccomp() -> Finding {
    const GET_ACTION_AVAIL: u32 = 2;
    let trap: u32 = libc::SECCOMP_RET_TRAP;
    // SAFETY: the kernel reads the number during the call.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, GET_ACTION_AVAIL, 0, &raw const trap) };
    match result {
        0 => Finding::Good("filters can trap".into()),
        _ => Finding::Fatal(
            format!("no filters ({})", io::Error::last_os_error()),
            "system calls cannot be caught; is seccomp compiled in and allowed?",
        ),
    }
}

/// `HWCAP2_FSGSBASE` of the kernel's asm/hwcap2.h.
const HWCAP2_FSGSBASE: u64 = 2;

fn fsgsbase() -> Finding {
    if launch::processor().hwcap2 & HWCAP2_FSGSBASE != 0 {
        return Finding::Good("threads switch without system calls".into());
    }
    Finding::Fatal("not enabled".into(), "threads cannot be switched; boot without `nofsgsbase`")
}

fn time_stamp() -> Finding {
    let mut mode = 0i32;
    // SAFETY: the kernel writes one int.
    let result = unsafe { libc::prctl(libc::PR_GET_TSC, &raw mut mode) };
    match result {
        0 => Finding::Good("rdtsc can be made to trap".into()),
        _ => Finding::Fatal(
            "rdtsc cannot be made to trap".into(),
            "programs would read the real time",
        ),
    }
}

fn memory_files() -> Finding {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    match memfd_create(c"simrun-doctor", MFdFlags::MFD_CLOEXEC) {
        Ok(_) => Finding::Good("memfd_create works".into()),
        Err(error) => {
            Finding::Fatal(error.to_string(), "processes cannot share the simulated kernel")
        }
    }
}

fn limits() -> Finding {
    match launch::shortages().as_slice() {
        [] => Finding::Good("high enough".into()),
        short => {
            let list: Vec<_> = short.iter().map(ToString::to_string).collect();
            Finding::Fatal(list.join("; "), "runs cannot be set up")
        }
    }
}

fn processors() -> Finding {
    match std::thread::available_parallelism().map_or(1, usize::from) {
        1 => Finding::Worse("one".into(), "runs share it with all else: slower, not different"),
        n => Finding::Good(format!("{n}: so many runs at a time, each on its own")),
    }
}

/// `cpuid` leaves of features and of extended ones; the bits are in Intel's manual, volume 2, "CPUID".
const LEAF_VERSION: u32 = 1;
const LEAF_FEATURES: u32 = 7;
const ECX_RDRAND: u32 = 1 << 30;
const EDX_AMX_TILE: u32 = 1 << 24;
const ECX_SHADOW_STACK: u32 = 1 << 7;

fn processor_random() -> Finding {
    if __cpuid_count(LEAF_VERSION, 0).ecx & ECX_RDRAND == 0 {
        return Finding::Good("not present".into());
    }
    Finding::Worse(
        "present, and served from the seed where unwind tables tell of the code".into(),
        "other code (Go's, what is compiled at run time) would reach the processor's own",
    )
}

fn amx() -> Finding {
    if __cpuid_count(LEAF_FEATURES, 0).edx & EDX_AMX_TILE == 0 {
        return Finding::Good("not present".into());
    }
    Finding::Good("present; programs inside are refused permission to use it".into())
}

fn shadow_stacks() -> Finding {
    if __cpuid_count(LEAF_FEATURES, 0).ecx & ECX_SHADOW_STACK == 0 {
        return Finding::Good("not present".into());
    }
    let enabled = fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .any(|line| line.starts_with("x86_Thread_features:") && line.contains("shstk"))
    });
    if enabled {
        return Finding::Fatal(
            "enabled for this process".into(),
            "start simrun with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off",
        );
    }
    Finding::Good("present, not enabled".into())
}

/// The proof: a run of a program that does nothing.
fn trial_run() -> Finding {
    const NOTHING: [&str; 5] = ["simrun", "--seed", "1", "--", "true"];
    const COST: &str = "nothing can be run";
    let arguments = match Arguments::read(NOTHING) {
        Ok(arguments) => arguments,
        Err(error) => return Finding::Fatal(error.to_string(), COST),
    };
    let run = Plan::new(&arguments.run.once.world, Subject::Command(&arguments.run.command))
        .map_err(|error| error.to_string())
        .and_then(|plan| {
            launch::run(&plan.boot, &Streams::own(), plan.wall_timeout, |_| {})
                .map_err(|error| error.to_string())
        });
    match run {
        Ok(Outcome { ending: Ending::Finished { status: 0 }, wall, .. }) => {
            Finding::Good(format!("`true` takes {}", report::seconds(wall)))
        }
        Ok(outcome) => Finding::Fatal(format!("{:?}", outcome.ending), COST),
        Err(error) => Finding::Fatal(error, COST),
    }
}
