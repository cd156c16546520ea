//! `stat`, `statm` and `status` of a process or thread.

use alloc::{format, string::String, vec::Vec};

use super::{facts, machine::ticks};
use crate::{
    kernel::Kernel,
    mm::{AddressSpace, MapFlags, Protection},
    process::{Process, ProcessId, Thread},
    signal::PendingSignals,
    uapi::limits::PAGE_SIZE,
};

/// Whom a text is about: a thread, or a process seen through its first thread (none if it has ended).
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// All state.
    pub kernel: &'a Kernel,
    /// Names the process.
    pub id: ProcessId,
    /// The process.
    pub process: &'a Process,
    /// The thread.
    pub thread: Option<&'a Thread>,
    /// Whether the thread alone is meant (`/proc/PID/task/TID`).
    pub alone: bool,
}

impl Subject<'_> {
    /// Where it lives; nothing for a zombie.
    pub fn space(&self) -> Option<&AddressSpace> {
        self.thread?;
        self.kernel.spaces.get(self.process.space)
    }

    fn number(&self) -> u32 {
        match self.thread {
            Some(thread) if self.alone => thread.tid.raw(),
            _ => self.process.pid.raw(),
        }
    }

    /// Its name.
    pub fn name(&self) -> Vec<u8> {
        facts::name(self.thread, self.process)
    }
}

/// Signal sets as masks: pending for the thread, pending for the process, blocked.
fn signals(subject: &Subject<'_>) -> (u64, u64, u64) {
    let set = |pending: &PendingSignals| pending.set().0;
    let thread = subject.thread;
    (
        thread.map_or(0, |thread| set(&thread.signals.pending)),
        set(&subject.process.pending),
        thread.map_or(0, |thread| thread.signals.mask.0),
    )
}

/// `stat` (proc_pid_stat(5)).
pub fn stat(subject: &Subject<'_>) -> Vec<u8> {
    let Subject { kernel, process, thread, .. } = *subject;
    let letter = facts::state(process, thread);
    let time = match thread {
        Some(thread) if subject.alone => thread.cpu_time,
        _ => facts::cpu_time(kernel, subject.id),
    };
    let (virtual_size, resident, code) = subject.space().map_or((0, 0, (0, 0)), |space| {
        (space.mapped(), facts::resident(space) / PAGE_SIZE, facts::code(space, process))
    });
    let (terminal, foreground) = terminal(kernel, process);
    let (pending, _, blocked) = signals(subject);
    let started = thread.map_or(0, |thread| ticks(thread.started.since_boot()));
    let break_start = subject.space().map_or(0, |space| space.break_start);
    let mut text = format!("{} (", subject.number()).into_bytes();
    text.extend(subject.name());
    text.extend(
        format!(
            ") {letter} {parent} {group} {session} {terminal} {foreground} 4194304 0 0 0 0 {user} 0 {children} 0 20 0 \
             {threads} 0 {started} {virtual_size} {resident} 18446744073709551615 {} {} {stack} 0 0 {pending} \
             {blocked} 0 0 0 0 0 {exit_signal} 0 0 0 0 0 0 0 0 {break_start} 0 0 0 0 0\n",
            code.0,
            code.1,
            parent = facts::parent(kernel, process),
            group = process.group,
            session = process.session,
            user = ticks(time),
            children = ticks(process.children_time),
            threads = process.threads.len(),
            stack = process.stack_start,
            exit_signal = process.exit_signal,
        )
        .bytes(),
    );
    text
}

/// The device number of a process's controlling terminal and the group in its foreground; 0 and -1 without one.
fn terminal(kernel: &Kernel, process: &Process) -> (u64, i64) {
    match kernel.terminals.of_session(process.session) {
        Some(terminal) => (
            crate::file::terminal_device(terminal.number),
            terminal.foreground().map_or(-1, |group| i64::from(group.raw())),
        ),
        None => (0, -1),
    }
}

/// `statm`, in pages.
pub fn statm(subject: &Subject<'_>) -> String {
    let Some(space) = subject.space() else { return String::from("0 0 0 0 0 0 0\n") };
    let pages = |bytes: u64| bytes / PAGE_SIZE;
    let code = facts::code(space, subject.process);
    let shared =
        facts::sum(space, |mapping| mapping.inode != 0 && mapping.prot.contains(Protection::READ));
    let data = facts::sum(space, is_data);
    format!(
        "{} {} {} {} 0 {} 0\n",
        pages(space.mapped()),
        pages(facts::resident(space)),
        pages(shared),
        pages(code.1 - code.0),
        pages(data)
    )
}

fn is_data(mapping: &crate::mm::Mapping) -> bool {
    mapping.prot.contains(Protection::WRITE) && !mapping.flags.contains(MapFlags::SHARED)
}

/// `status` (proc_pid_status(5)).
pub fn status(subject: &Subject<'_>) -> Vec<u8> {
    let mut text = b"Name:\t".to_vec();
    text.extend(subject.name());
    text.push(b'\n');
    text.extend(identity(subject).bytes());
    if let Some(space) = subject.space() {
        text.extend(memory(space, subject.process).bytes());
    }
    text.extend(rest(subject).bytes());
    text
}

fn identity(subject: &Subject<'_>) -> String {
    let Subject { kernel, process, thread, .. } = *subject;
    let letter = facts::state(process, thread);
    let who = &process.credentials;
    let trace = thread.and_then(|thread| thread.trace.as_ref());
    let tracer = trace.and_then(|trace| kernel.processes.get(trace.tracer));
    let tracer = tracer.map_or(0, |tracer| tracer.pid.raw());
    let groups: String = who.groups.iter().map(|group| format!("{group} ")).collect();
    let files = process.files.borrow().iter().last().map_or(0, |(fd, _)| fd.0 + 1);
    format!(
        "Umask:\t{umask:04o}\nState:\t{letter} ({word})\nTgid:\t{pid}\nNgid:\t0\nPid:\t{number}\nPPid:\t{parent}\n\
         TracerPid:\t{tracer}\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t{size}\nGroups:\t{groups}\nNStgid:\t{pid}\n\
         NSpid:\t{number}\nNSpgid:\t{group}\nNSsid:\t{session}\n",
        who.uid,
        who.euid,
        who.suid,
        who.fsuid,
        who.gid,
        who.egid,
        who.sgid,
        who.fsgid,
        umask = process.fs.borrow().umask,
        word = facts::state_word(letter),
        pid = process.pid,
        number = subject.number(),
        parent = facts::parent(kernel, process),
        size = files.next_power_of_two().max(64),
        group = process.group,
        session = process.session,
    )
}

fn memory(space: &AddressSpace, process: &Process) -> String {
    let size = space.mapped() >> 10;
    let resident = facts::resident(space) >> 10;
    let named =
        |name: &'static [u8]| facts::sum(space, move |mapping| mapping.name.as_ref() == name) >> 10;
    let stack = named(b"[stack]");
    let code = facts::code(space, process);
    let code = (code.1 - code.0) >> 10;
    let libraries = (facts::sum(space, |mapping| {
        mapping.inode != 0 && mapping.prot.contains(Protection::EXEC)
    }) >> 10)
        .saturating_sub(code);
    let data = (facts::sum(space, is_data) >> 10).saturating_sub(stack);
    let locked = space.locked() >> 10;
    let anonymous = space
        .iter()
        .filter(|(_, m)| m.inode == 0)
        .map(|(r, m)| facts::resident_of(r, m))
        .sum::<u64>()
        >> 10;
    format!(
        "VmPeak:\t{size:8} kB\nVmSize:\t{size:8} kB\nVmLck:\t{locked:8} kB\nVmPin:\t       0 kB\nVmHWM:\t{resident:8} kB\n\
         VmRSS:\t{resident:8} kB\nRssAnon:\t{anonymous:8} kB\nRssFile:\t{:8} kB\nRssShmem:\t       0 kB\n\
         VmData:\t{data:8} kB\nVmStk:\t{stack:8} kB\nVmExe:\t{code:8} kB\nVmLib:\t{libraries:8} kB\n\
         VmPTE:\t{:8} kB\nVmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\n",
        resident - anonymous,
        resident / 512,
    )
}

fn rest(subject: &Subject<'_>) -> String {
    let Subject { kernel, process, .. } = *subject;
    let (pending, shared, blocked) = signals(subject);
    let (ignored, handled) = process.actions.borrow().ignored_and_handled();
    let (ignored, handled) = (ignored.0, handled.0);
    let who = &process.credentials;
    let cpus = kernel.machine.config.cpus;
    format!(
        "CoreDumping:\t0\nTHP_enabled:\t1\nThreads:\t{threads}\nSigQ:\t0/31536\nSigPnd:\t{pending:016x}\n\
         ShdPnd:\t{shared:016x}\nSigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\nSigCgt:\t{handled:016x}\nCapInh:\t{:016x}\n\
         CapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n\
         NoNewPrivs:\t{}\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\n\
         SpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t{mask}Cpus_allowed_list:\t{list}\
         Mems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n",
        who.inheritable,
        who.permitted,
        who.effective,
        who.bounding,
        who.ambient,
        u8::from(process.settings.no_new_privileges),
        threads = process.threads.len(),
        mask = crate::fs::views::sys::processor_mask(cpus),
        list = crate::fs::views::sys::processor_list(cpus),
    )
}
