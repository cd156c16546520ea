//! A run from start to end.

use std::{
    io,
    time::{Duration, Instant},
};

use simrun_abi::{
    boot::{Boot, Processor, WaitingLoop},
    event::What,
};

use super::{
    Shortage,
    child::{self, Streams},
    input::InputWatch,
    limits,
    listener::Listener,
    memory::Memory,
    outcome::{Ending, Outcome, Tally},
    placement,
    processes::{self, Collected, Leaving, Processes},
    ring::Reader,
    searched::Searched,
    spin::{self, SpinWatch},
    watch::{Happened, Watch},
};

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Memory or the first process could not be made.
    #[error("the run cannot be set up")]
    Setup(#[source] io::Error),
    /// A limit of the host forbids it.
    #[error("{0}")]
    Limit(Shortage),
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

/// Runs a simulation to its end; events are told as they come.
///
/// # Errors
/// When there is no run.
pub fn run(
    boot: &Boot,
    streams: &Streams,
    wall_timeout: Option<Duration>,
    listener: impl Listener,
) -> Result<Outcome, Error> {
    run_until_told(boot, streams, wall_timeout, listener).map(|(outcome, _)| outcome)
}

/// Runs a simulation until it has told its end. Its processes may take a moment longer, and there may be something else to
/// do meanwhile.
///
/// # Errors
/// When there is no run.
pub fn run_until_told(
    boot: &Boot,
    streams: &Streams,
    wall_timeout: Option<Duration>,
    mut listener: impl Listener,
) -> Result<(Outcome, Leaving), Error> {
    let start = Instant::now();
    if let Some(shortage) = limits::shortages().into_iter().next() {
        return Err(Error::Limit(shortage));
    }
    let mut searched = Searched::load();
    let memory = Memory::new(Boot { searched: searched.known().to_vec(), ..boot.clone() });
    let memory = memory.map_err(Error::Setup)?;
    let watch = Watch::new().map_err(Error::Setup)?;
    let placement = placement::place();
    let processor = placement.as_ref().map(|placement| placement.processor);
    let first = child::spawn(&memory, streams, &watch, processor).map_err(Error::Setup)?;
    let processes = Processes::new(first);
    let deadline = wall_timeout.map(|timeout| start + timeout);
    let mut reader = Reader::default();
    let mut drain = |memory: &Memory, awaits_input: Option<String>| {
        reader.drain(memory, |event| match event.what {
            What::Searched { file } => searched.add(file),
            _ => listener.event(event),
        });
        if let Some(program) = awaits_input {
            listener.awaits_input(&program);
        }
        listener.caught_up();
    };
    let ending = watch_over(&memory, &processes, &watch, deadline, &boot.waiting, &mut drain);
    let leaving = Leaving::new(processes, memory);
    // Whoever told the end has done all there was to do. Of any other end the processes know nothing.
    if Ending::told(leaving.memory().control()).is_none() {
        leaving.end();
    }
    let memory = leaving.memory();
    drain(memory, None);
    searched.save();
    let capture = memory.capture.try_clone().map_err(Error::Setup)?;
    let tally = Tally::read(memory.control());
    Ok((Outcome { ending, tally, wall: start.elapsed(), capture }, leaving))
}

/// Waits for the end, whoever brings it about.
fn watch_over(
    memory: &Memory,
    processes: &Processes,
    watch: &Watch,
    deadline: Option<Instant>,
    known_loops: &[WaitingLoop],
    mut drain: impl FnMut(&Memory, Option<String>),
) -> Ending {
    let control = memory.control();
    let (mut spins, mut input) = (SpinWatch::default(), InputWatch::default());
    loop {
        drain(memory, input.look(control));
        // Collected first: whoever leaves at the end of a run has told that end before.
        let collected = processes.collect(memory);
        if let Some(ending) = Ending::told(control) {
            return ending;
        }
        if let Collected::Lost(what) = collected {
            return Ending::Lost(what);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let holder = control.holder.load(std::sync::atomic::Ordering::Relaxed);
            let program = processes::program(nix::unistd::Pid::from_raw(holder));
            return Ending::WallTimedOut { program };
        }
        if let Some(ending) = spins.look(control, known_loops) {
            return ending;
        }
        match watch.wait(left.unwrap_or(spin::TICK).min(spin::TICK)) {
            Happened::Signal(signal) => {
                return Ending::told(control).unwrap_or(Ending::Interrupted(signal));
            }
            Happened::Look => {}
        }
    }
}
