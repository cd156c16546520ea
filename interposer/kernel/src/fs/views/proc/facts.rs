//! What several texts say of a process.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    kernel::Kernel,
    mm::{AddressSpace, Mapping, Protection, Range},
    process::{Process, ProcessId, ProcessState, State, Thread, ThreadId},
};

/// Most of a growing stack that is taken to be used.
const STACK_USED_MAX: u64 = 128 << 10;

/// Bytes of a mapping that are taken to be in memory. The host's figure would differ from run to run, so what is
/// accessible counts as touched, but for what was mapped in the hope of never needing it.
pub fn resident_of(range: Range, mapping: &Mapping) -> u64 {
    use crate::mm::MapFlags;
    if mapping.prot.is_empty() {
        return 0;
    }
    if mapping.name.as_ref() == b"[stack]" {
        return range.len().min(STACK_USED_MAX);
    }
    let reserved = mapping.flags.contains(MapFlags::NORESERVE);
    if reserved && mapping.inode == 0 { 0 } else { range.len() }
}

/// Bytes of an address space that are taken to be in memory.
pub fn resident(space: &AddressSpace) -> u64 {
    space.iter().map(|(range, mapping)| resident_of(range, mapping)).sum()
}

/// Bytes of its mappings for which `which` holds.
pub fn sum(space: &AddressSpace, which: impl Fn(&Mapping) -> bool) -> u64 {
    space.iter().filter(|(_, mapping)| which(mapping)).map(|(range, _)| range.len()).sum()
}

/// First and last address of the program's own code, or zeros.
pub fn code(space: &AddressSpace, process: &Process) -> (u64, u64) {
    space
        .iter()
        .find(|(_, mapping)| {
            mapping.prot.contains(Protection::EXEC) && mapping.name == process.executable
        })
        .map_or((0, 0), |(range, _)| (range.start, range.end))
}

/// Processor time that a process has used.
pub fn cpu_time(kernel: &Kernel, id: ProcessId) -> Duration {
    let process = kernel.process(id);
    let living = process.threads.iter().filter_map(|&thread| kernel.threads.get(thread));
    process.dead_threads_time + living.map(|thread| thread.cpu_time).sum::<Duration>()
}

/// One letter for what a thread or process does, as ps(1) shows it.
pub fn state(process: &Process, thread: Option<&Thread>) -> char {
    match (process.state, thread.map(|thread| thread.state)) {
        (ProcessState::Alive, _) if process.stopped_by.is_some() => 'T',
        (ProcessState::Alive, Some(State::Runnable)) => 'R',
        (ProcessState::Alive, Some(State::Blocked(_))) => 'S',
        (ProcessState::Alive, Some(State::Stopped)) => 'T',
        (ProcessState::Alive, Some(State::Traced)) => 't',
        _ => 'Z',
    }
}

/// Its word in `status`.
pub fn state_word(letter: char) -> &'static str {
    match letter {
        'R' => "running",
        'S' => "sleeping",
        'T' => "stopped",
        't' => "tracing stop",
        _ => "zombie",
    }
}

/// The number of a process's parent; that of the machine's own process for an orphan.
pub fn parent(kernel: &Kernel, process: &Process) -> u32 {
    let init = crate::process::Tid::INIT;
    if process.pid == init {
        return 0;
    }
    process.parent.map_or(init, |parent| kernel.process(parent).pid).raw()
}

/// A thread's name.
pub fn name(thread: Option<&Thread>, process: &Process) -> Vec<u8> {
    match thread {
        Some(thread) => {
            let end = thread.name.iter().position(|&byte| byte == 0).unwrap_or(thread.name.len());
            thread.name[..end].to_vec()
        }
        None => process.program_name().bytes().take(15).collect(),
    }
}

/// The first thread of a process: the one with its number, or the oldest.
pub fn leader(kernel: &Kernel, process: &Process) -> Option<ThreadId> {
    kernel.tids.get(&process.pid).copied().or_else(|| process.threads.first().copied())
}
