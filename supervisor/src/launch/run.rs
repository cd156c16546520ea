//! A run from start to end.

use std::{io, sync::atomic::Ordering, time::Duration};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use simrun_abi::{
    boot::{Boot, Processor},
    control::{End, PANIC_SIZE},
    event::Event,
};

use super::{child, memory::Memory, ring::Reader};

/// Why a run gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Memory or the first process could not be made.
    #[error("the run cannot be set up")]
    Setup(#[source] io::Error),
    /// All processes are gone, and none said that the run had ended.
    #[error("the simulated processes were killed from outside")]
    Killed,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// How.
    pub end: End,
    /// Wait status of the command.
    pub status: u32,
    /// The digest of all events.
    pub fingerprint: u64,
    /// Simulated time.
    pub simulated: Duration,
    /// System calls and other entries into the kernel.
    pub entries: u64,
    /// Scheduling choices.
    pub choices: u64,
    /// Switches between threads.
    pub switches: u64,
    /// The image's last words, if it failed.
    pub last_words: String,
}

/// `AT_MINSIGSTKSZ` (getauxval(3)); libc has no name for it.
const AT_MINSIGSTKSZ: u64 = 51;

/// What this machine's auxiliary vector says of the processor.
pub fn processor() -> Processor {
    // SAFETY: getauxval only reads.
    let get = |key| unsafe { libc::getauxval(key) };
    Processor {
        hwcap: get(libc::AT_HWCAP),
        hwcap2: get(libc::AT_HWCAP2),
        signal_stack_min: get(AT_MINSIGSTKSZ).max(2048),
    }
}

/// How long the supervisor sleeps at most before it looks at the ring and the children again.
const POLL: Duration = Duration::from_millis(20);

/// Runs a simulation to its end; events are told as they come.
///
/// # Errors
/// When there is no result.
pub fn run(boot: &Boot, mut each: impl FnMut(Event)) -> Result<Outcome, Error> {
    let memory = Memory::new(boot).map_err(Error::Setup)?;
    let mut reader = Reader::default();
    child::spawn(&memory, Some(0)).map_err(Error::Setup)?;
    let end = loop {
        reader.drain(&memory, &mut each);
        match End::from_raw(memory.control().end.load(Ordering::Acquire)) {
            Some(End::Running) | None => {}
            Some(end) => break Some(end),
        }
        if !collect_ended(&memory) {
            break End::from_raw(memory.control().end.load(Ordering::Acquire))
                .filter(|&end| end != End::Running);
        }
        wait_for_change(&memory);
    };
    stop_all(&memory);
    reader.drain(&memory, &mut each);
    let end = end.ok_or(Error::Killed)?;
    let control = memory.control();
    let len = (control.panic_len.load(Ordering::Acquire) as usize).min(PANIC_SIZE);
    let words: Vec<u8> =
        control.panic[..len].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
    Ok(Outcome {
        end,
        status: control.status.load(Ordering::Relaxed),
        fingerprint: control.fingerprint.load(Ordering::Relaxed),
        simulated: Duration::from_nanos(control.now_ns.load(Ordering::Relaxed)),
        entries: control.entries.load(Ordering::Relaxed),
        choices: control.choices.load(Ordering::Relaxed),
        switches: control.switches.load(Ordering::Relaxed),
        last_words: String::from_utf8_lossy(&words).into_owned(),
    })
}

/// Collects children that have ended; whether any is left.
fn collect_ended(memory: &Memory) -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Err(Errno::ECHILD) => return false,
            Ok(status) => forget(memory, status),
            Err(_) => {}
        }
    }
}

/// A collected process's number may be anybody's from now on.
fn forget(memory: &Memory, status: WaitStatus) {
    let Some(pid) = status.pid() else { return };
    for place in &memory.control().host_pids {
        let _ = place.compare_exchange(pid.as_raw(), 0, Ordering::AcqRel, Ordering::Relaxed);
    }
}

fn wait_for_change(memory: &Memory) {
    let control = memory.control();
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: POLL.subsec_nanos().into() };
    let waiting = End::Running as u32;
    // SAFETY: the futex lives in the mapping, the time-out on this stack.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            control.end.as_ptr(),
            libc::FUTEX_WAIT,
            waiting,
            &raw const timeout,
        );
    }
}

/// Ends every process of the run and collects it.
fn stop_all(memory: &Memory) {
    let control = memory.control();
    control.stop.store(1, Ordering::Release);
    loop {
        for pid in control.host_pids.iter().map(|pid| pid.load(Ordering::Acquire)) {
            if pid > 0 {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        match waitpid(None, None) {
            Err(Errno::ECHILD) => return,
            Ok(status) => forget(memory, status),
            Err(_) => {}
        }
    }
}
