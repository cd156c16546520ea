//! The processor that a run is kept on: all of its processes share one, because only one of them runs at a time.
//!
//! Which one it is changes nothing but the speed.

use std::os::{
    linux::net::SocketAddrExt,
    unix::net::{SocketAddr, UnixListener},
};

use nix::{
    sched::{CpuSet, sched_getaffinity},
    unistd::Pid,
};

/// A processor that no other run has taken, for as long as this lives.
pub struct Placement {
    /// Its number.
    pub processor: usize,
    /// An abstract socket name stands for the processor: the host frees it whatever becomes of simrun.
    _claim: Option<UnixListener>,
}

/// Takes a processor; `None` where the host does not tell which there are.
pub fn place() -> Option<Placement> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    let processors: Vec<usize> =
        (0..CpuSet::count()).filter(|&number| allowed.is_set(number) == Ok(true)).collect();
    // From the last: interrupts are mostly served by the first.
    let free = processors
        .iter()
        .rev()
        .find_map(|&processor| Some(Placement { processor, _claim: Some(claim(processor)?) }));
    let shared = || {
        let processor = processors.get(std::process::id() as usize % processors.len().max(1))?;
        Some(Placement { processor: *processor, _claim: None })
    };
    free.or_else(shared)
}

fn claim(processor: usize) -> Option<UnixListener> {
    let address = SocketAddr::from_abstract_name(format!("simrun-processor-{processor}")).ok()?;
    UnixListener::bind_addr(&address).ok()
}
