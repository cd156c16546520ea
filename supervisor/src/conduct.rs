//! A run from its plan to what is said and kept of it, begun again as often as it has to be.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use simrun_abi::{boot::Detail, event::Event};

use crate::{
    captured,
    launch::{self, Ending, Leaving, Listener, Outcome, Streams},
    plan::{Error, Plan},
    printer::Printer,
    report::{Report, fault_line, say},
    store::{Belonging, Place, Record, Recording, gathering::Gathered},
    trace::Trace,
    verbs::Failure,
};

/// How a run is conducted.
pub struct Conduct<'a> {
    /// The command's standard streams.
    pub streams: Streams,
    /// Where events go.
    pub trace: Option<&'a Path>,
    /// Whether every system call goes into traces, too.
    pub traces_calls: bool,
    /// Whether faults are said as they are injected.
    pub logs_faults: bool,
    /// Where the run is kept, and as what.
    pub kept: Option<(&'a Place, Belonging)>,
    /// Whether only what went wrong is said.
    pub quiet: bool,
}

/// A run that is over.
pub struct Conducted {
    /// How it ended.
    pub outcome: Outcome,
    /// What there is to say of it.
    pub report: Report,
    /// What is kept of it.
    pub record: Option<Record>,
}

impl Conduct<'_> {
    /// Runs it to the end.
    ///
    /// # Errors
    /// When there is no run.
    pub fn run(self, plan: &mut Plan) -> Result<Conducted, Failure> {
        let keeps_events = self.kept.as_ref().is_some_and(|(_, belonging)| belonging.keeps_events);
        plan.boot.detail = match (self.trace.is_some() || keeps_events, self.traces_calls) {
            (true, true) => Detail::Calls,
            (true, false) => Detail::Events,
            (false, _) if self.logs_faults => Detail::Faults,
            (false, _) if self.kept.is_some() => Detail::Kept,
            (false, _) => Printer::detail(&plan.boot),
        };
        let mut learned: Vec<String> = Vec::new();
        let mut recording = None;
        if let Some((place, belonging)) = &self.kept {
            place.hide_in(&mut plan.boot.hidden);
            match Recording::begin(place, plan, belonging) {
                Ok(begun) => recording = Some(begun),
                Err(error) => {
                    let place = place.path().display();
                    learned.push(format!("the run is not kept: {place}: {error}"));
                }
            }
        }
        loop {
            let mut report = Report::new(&plan.boot, self.quiet);
            learned.iter().for_each(|words: &String| report.warn(words));
            // The processes are gone before another attempt begins, or the last one is told of.
            let (outcome, _leaving) = match self.attempt(plan, &mut report, &mut recording) {
                Ok(attempt) => attempt,
                Err(failure) => {
                    if let Some(recording) = recording {
                        recording.abandon();
                    }
                    return Err(failure);
                }
            };
            let Some(words) = launch::learn(&mut plan.boot, &outcome) else {
                let recording = recording.map(|mut recording| {
                    let inputs = recording.keep_inputs();
                    (recording, inputs)
                });
                write_through(plan, &outcome, &mut report);
                return Ok(finish(outcome, report, recording));
            };
            learned.push(words);
            if let Ending::Spin(spin) = &outcome.ending {
                plan.yield_at.push((spin.file.clone().into(), spin.place.offset));
            }
            if let Some(recording) = &mut recording {
                recording.begin_again(plan).map_err(|source| Failure::File {
                    doing: "what is kept of the run cannot be written",
                    source,
                })?;
            }
        }
    }

    fn attempt(
        &self,
        plan: &Plan,
        report: &mut Report,
        recording: &mut Option<Recording>,
    ) -> Result<(Outcome, Leaving), Failure> {
        let create = |path: &Path| {
            Trace::create(path).map_err(|error| Error::Trace(path.to_path_buf(), error))
        };
        let mut trace = self.trace.map(create).transpose()?;
        let (trace_to, recording) = (trace.as_mut(), recording.as_mut());
        let logs_faults = self.logs_faults;
        let mut printer = Printer::of(&plan.boot, &self.streams);
        let listeners = Listeners {
            trace: trace_to,
            recording,
            printer: printer.as_mut(),
            logs_faults,
            report,
        };
        let told = launch::run_until_told(&plan.boot, &self.streams, plan.wall_timeout, listeners)?;
        if let Some(printer) = printer {
            printer.finish();
        }
        if let Some(Err(error)) = trace.map(Trace::finish) {
            report.warn(&format!("the trace is incomplete: {error}"));
        }
        Ok(told)
    }
}

/// Writes to the host what was asked for.
fn write_through(plan: &Plan, outcome: &Outcome, report: &mut Report) {
    let below: Vec<PathBuf> = plan
        .boot
        .capture
        .always
        .iter()
        .map(|path| OsString::from_vec(path.clone()).into())
        .collect();
    if below.is_empty() {
        return;
    }
    let names: Vec<String> = below.iter().map(|path| path.display().to_string()).collect();
    let nodes: Vec<&str> = plan.boot.nodes.iter().map(|node| node.name.as_str()).collect();
    match captured::write_through(&outcome.capture, &below, &nodes) {
        Ok(count) => report.tell(format!("{count} files written through to {}", names.join(", "))),
        Err(error) => report.warn(&format!("not all is written through: {error}")),
    }
}

fn finish(
    outcome: Outcome,
    mut report: Report,
    recording: Option<(Recording, Gathered)>,
) -> Conducted {
    let record = recording.map(|(mut recording, inputs)| {
        recording.keep_files(&outcome).iter().for_each(|words| report.warn(words));
        let (record, error) = recording.finish(&outcome, report.warnings(), inputs);
        if let Some(error) = error {
            report.warn(&format!("what is kept of the run is incomplete: {error}"));
        }
        report.kept_as(&record.id);
        record
    });
    Conducted { outcome, report, record }
}

/// All that hear the events of a run.
struct Listeners<'a> {
    trace: Option<&'a mut Trace>,
    recording: Option<&'a mut Recording>,
    printer: Option<&'a mut Printer>,
    logs_faults: bool,
    report: &'a mut Report,
}

impl Listener for Listeners<'_> {
    fn event(&mut self, event: Event) {
        if let Some(trace) = &mut self.trace {
            trace.write(&event);
        }
        if let Some(recording) = &mut self.recording {
            recording.hear(&event);
        }
        if let Some(printer) = &mut self.printer {
            printer.hear(&event);
        }
        if self.logs_faults
            && let Some(line) = fault_line(&event)
        {
            say(&line);
        }
        self.report.note(event);
    }

    fn awaits_input(&mut self, program: &str) {
        self.report.awaits_input(program);
    }

    fn caught_up(&mut self) {
        if let Some(recording) = &mut self.recording {
            recording.flush();
        }
        if let Some(printer) = &mut self.printer {
            printer.flush();
        }
    }
}
