//! The verb that runs a command.

use std::io::{BufWriter, Write};

use simrun_abi::{
    control::End,
    event::{Event, What},
};

use crate::{launch, plan, plan::Plan};

/// Why there is no exit status of the command to pass on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plan was wrong.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The run gave no result.
    #[error(transparent)]
    Launch(#[from] launch::Error),
}

/// Exit status after a time-out, as timeout(1) has it.
const EXIT_TIMED_OUT: u8 = 124;
/// Exit status after a failure of simrun's own.
const EXIT_FAILED: u8 = 125;

impl Failure {
    /// simrun's exit status.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(plan::Error::NotExecutable(_)) => 126,
            Self::Plan(plan::Error::NotFound(_)) => 127,
            Self::Plan(_) | Self::Launch(_) => EXIT_FAILED,
        }
    }
}

/// Runs the command; its exit status.
///
/// # Errors
/// When there is no result.
pub fn run(plan: &Plan) -> Result<u8, Failure> {
    let seed = plan.boot.seed;
    if !plan.quiet {
        eprintln!("simrun: seed {seed}");
    }
    let mut trace = plan.trace.as_ref().map(BufWriter::new);
    let mut notes = Vec::new();
    let outcome = launch::run(&plan.boot, |event| {
        if let Some(trace) = &mut trace
            && let Ok(line) = serde_json::to_string(&event)
        {
            // A full disk loses the trace, not the run.
            let _ = writeln!(trace, "{line}");
        }
        if matches!(event.what, What::Escape { .. } | What::Deadlock { .. }) {
            notes.push(event);
        }
    })?;
    drop(trace);
    if !plan.quiet {
        notes.iter().for_each(report);
        eprintln!(
            "simrun: seed {seed}, fingerprint {:016x}, simulated {:?}, {} calls, {} choices, {} switches",
            outcome.fingerprint,
            outcome.simulated,
            outcome.entries,
            outcome.choices,
            outcome.switches
        );
    }
    Ok(match outcome.end {
        End::Finished => exit_status(outcome.status),
        End::TimedOut => EXIT_TIMED_OUT,
        End::Running | End::Deadlock | End::Panic | End::Unsupported | End::HostExhausted => {
            eprintln!("simrun: the run failed: {:?} {}", outcome.end, outcome.last_words);
            EXIT_FAILED
        }
    })
}

/// A wait status as a shell shows it.
fn exit_status(status: u32) -> u8 {
    match status & 0x7f {
        0 => (status >> 8) as u8,
        signal => 128 + signal as u8,
    }
}

fn report(event: &Event) {
    match &event.what {
        What::Escape { what, program, effect } => {
            eprintln!("simrun: warning: {program}: {what}: {effect}")
        }
        What::Deadlock { threads } => {
            eprintln!("simrun: deadlock: no thread can ever run again");
            for thread in threads {
                eprintln!(
                    "simrun:   {} pid {} tid {} in {} waits for {}",
                    thread.program, thread.pid, thread.tid, thread.call, thread.waits_for
                );
            }
        }
        _ => {}
    }
}
