//! Writes a run down while it goes on.
//!
//! A run's folder appears at once, complete and locked (flock(2)), and the lock lasts as long as simrun lives: a folder
//! without a result that nobody holds is what an interrupted run has left. Nothing is synchronized with the disk: that
//! would take longer than many a run.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use nix::fcntl::{Flock, FlockArg};
use simrun_abi::event::{Event, Found, Said, Stream, StuckThread, What};

use super::{
    ARTIFACTS, EVENTS, INPUTS, LOCK, RECORD, STANDARD_INPUT, calls, failure,
    gathering::{End, Finding, Gathered, Gathering},
    id::Id,
    output::{self, Writer},
    pinned::Pinned,
    place::{Place, replace_file},
    protocol::Protocol,
    record::{BASELINE, FORMAT, Program, Record, RunResult, State},
    text::Text,
};
use crate::{captured, launch::Outcome, plan::Plan, trace::Trace};

/// Most bytes of standard error in which a crash is looked for: the last ones.
const TAIL_MAX: usize = 64 << 10;
/// Most programs that are written down.
const PROGRAMS_MAX: usize = 1000;

/// Where a run belongs.
#[derive(Clone, Debug)]
pub struct Belonging {
    /// The simulation, if it is not one by itself.
    pub simulation: Option<Id>,
    /// The fault model.
    pub model: String,
    /// The run that it does again.
    pub rerun_of: Option<Id>,
    /// Whether its events are kept, too.
    pub keeps_events: bool,
}

impl Default for Belonging {
    fn default() -> Self {
        Self { simulation: None, model: BASELINE.into(), rerun_of: None, keeps_events: false }
    }
}

/// A run that is written down.
pub struct Recording {
    folder: PathBuf,
    record: Record,
    lock: Flock<File>,
    heard: Heard,
    keeps_events: bool,
}

/// What was heard of a run so far.
struct Heard {
    output: Writer,
    events: Option<Trace>,
    standard_input: Option<File>,
    inputs: Gathering,
    programs: BTreeSet<Text>,
    stuck: Vec<StuckThread>,
    protocol: Protocol,
    tail: VecDeque<u8>,
    error: Option<io::Error>,
}

impl Recording {
    /// Begins to write down the run of this plan.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn begin(place: &Place, plan: &Plan, belonging: &Belonging) -> io::Result<Self> {
        let start = SystemTime::now();
        let record = Record {
            format: FORMAT,
            id: Id::new(start)?,
            state: State::Executing,
            simulation: belonging.simulation.clone(),
            model: belonging.model.clone(),
            rerun_of: belonging.rerun_of.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            start: start.into(),
            events: belonging.keeps_events.then_some(plan.boot.detail),
            pinned: Pinned::of(plan),
            result: None,
        };
        let runs = place.runs();
        // What begins with a dot is not looked at.
        let hidden = runs.join(format!(".{}", record.id));
        if fs::create_dir(&hidden).is_err() {
            place.create()?;
            fs::create_dir(&hidden)?;
        }
        let prepared = prepare(&hidden, &record)
            .and_then(|lock| fs::rename(&hidden, runs.join(record.id.as_str())).map(|()| lock));
        let lock = prepared.inspect_err(|_| drop(fs::remove_dir_all(&hidden)))?;
        let folder = runs.join(record.id.as_str());
        let heard = Heard::new(&folder, &record, belonging.keeps_events)?;
        Ok(Self { folder, record, lock, heard, keeps_events: belonging.keeps_events })
    }

    /// The run begins again, with this plan; what was heard counts no more.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn begin_again(&mut self, plan: &Plan) -> io::Result<()> {
        self.record.pinned = Pinned::of(plan);
        self.heard = Heard::new(&self.folder, &self.record, self.keeps_events)?;
        Ok(())
    }

    /// Takes in an event.
    pub fn hear(&mut self, event: &Event) {
        if let Some(events) = &mut self.heard.events {
            events.write(event);
        }
        let heard = self.heard.take_in(&self.folder, event);
        self.heard.keep_first_error(heard);
    }

    /// Writes out what is held back.
    pub fn flush(&mut self) {
        let flushed = self.heard.output.flush();
        self.heard.keep_first_error(flushed);
        self.heard.inputs.get_ahead();
    }

    /// Writes down what the run has found. It is over, and nothing has been written through yet.
    pub fn keep_inputs(&mut self) -> Gathered {
        let (programs, file) = (self.heard.programs.clone(), self.folder.join(INPUTS));
        self.heard.inputs.finish(End { programs, file })
    }

    /// Keeps the files that the run wrote; what cannot be kept is returned in words.
    pub fn keep_files(&mut self, outcome: &Outcome) -> Vec<String> {
        let pinned = &self.record.pinned;
        let nodes: Vec<&str> = pinned.nodes.iter().map(|node| node.name.as_str()).collect();
        let artifacts = self.folder.join(ARTIFACTS);
        let limit = pinned.options.capture.artifacts_limit;
        captured::keep(&outcome.capture, &nodes, &self.folder, (&artifacts, limit)).unwrap_or_else(
            |error| {
                self.heard.keep_first_error(Err(error));
                Vec::new()
            },
        )
    }

    /// Writes down how the run ended; also says what of it could not be written, if so.
    pub fn finish(
        mut self,
        outcome: &Outcome,
        warnings: &[String],
        inputs: Gathered,
    ) -> (Record, Option<io::Error>) {
        let mut heard = self.heard;
        let flushed = heard.output.flush();
        heard.keep_first_error(flushed);
        if let Some(events) = heard.events.take() {
            let finished = events.finish();
            heard.keep_first_error(finished);
        }
        let kept = calls::keep(&self.folder, &self.record.pinned);
        heard.keep_first_error(kept);
        heard.keep_first_error(inputs.written);
        let mut result = RunResult::of(outcome, &heard.stuck);
        result.warnings = warnings.to_vec();
        if heard.output.is_truncated() {
            result.warnings.push("the output is too long to be kept as a whole".into());
        }
        (result.invariants, result.paths) = heard.protocol.finish();
        result.failure = failure::of(&result, heard.tail.make_contiguous());
        result.programs = heard
            .programs
            .iter()
            .map(|path| Program { path: path.clone(), digest: inputs.programs.get(path).cloned() })
            .collect();
        self.record.state = result.ending.state(result.is_violated());
        self.record.result = Some(result);
        // The last one: from now on the run has ended.
        let written = replace_json(&self.folder.join(RECORD), &self.record);
        let error = heard.error.or(written.err());
        let _ = fs::remove_file(self.folder.join(LOCK));
        drop(self.lock);
        (self.record, error)
    }

    /// There was no run.
    pub fn abandon(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Fills the folder of a run that begins.
fn prepare(folder: &Path, record: &Record) -> io::Result<Flock<File>> {
    let lock = File::create_new(folder.join(LOCK))?;
    let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
    fs::write(folder.join(RECORD), json(record)?)?;
    Ok(lock)
}

/// The run reads a file, of which it does not tell more.
fn content_of(path: Text) -> Finding {
    Finding { path, found: Found::Content, said: Said::Nothing }
}

fn json(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Puts a file of JSON in its place.
///
/// # Errors
/// When the host does not allow it.
pub fn replace_json(path: &Path, value: &impl serde::Serialize) -> io::Result<()> {
    replace_file(path, &json(value)?)
}

impl Heard {
    fn new(folder: &Path, record: &Record, keeps_events: bool) -> io::Result<Self> {
        let nodes = record.pinned.nodes.iter().map(|node| node.name.clone()).collect();
        let events = if keeps_events { Some(Trace::create(&folder.join(EVENTS))?) } else { None };
        let programs: BTreeSet<_> =
            record.pinned.nodes.iter().map(|node| node.program.clone()).collect();
        let mut inputs = Gathering::new(record.pinned.options.file_times);
        programs.iter().for_each(|program| inputs.add(content_of(program.clone())));
        Ok(Self {
            output: Writer::new(folder, nodes),
            events,
            standard_input: None,
            inputs,
            programs,
            stuck: Vec::new(),
            protocol: Protocol::default(),
            tail: VecDeque::new(),
            error: None,
        })
    }

    fn keep_first_error(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    fn take_in(&mut self, folder: &Path, event: &Event) -> io::Result<()> {
        match &event.what {
            What::Output { stream, bytes } => {
                let writer = (event.node, event.pid, output::index(*stream));
                self.protocol.hear(writer, event.time_ns, bytes);
                if *stream == Stream::Stderr {
                    self.tail.extend(&bytes[bytes.len().saturating_sub(TAIL_MAX)..]);
                    self.tail.drain(..self.tail.len().saturating_sub(TAIL_MAX));
                }
                let at = (event.time_ns, event.number);
                self.output.write(at, (event.node, event.pid), *stream, bytes)?;
            }
            What::StandardInput { bytes } if !bytes.is_empty() => {
                let file = match &mut self.standard_input {
                    Some(file) => file,
                    None => self.standard_input.insert(File::create(folder.join(STANDARD_INPUT))?),
                };
                file.write_all(bytes)?;
            }
            What::Exec { path } if path.starts_with('/') => {
                let path = Text::from(path.as_bytes());
                self.inputs.add(content_of(path.clone()));
                if self.programs.len() < PROGRAMS_MAX {
                    self.programs.insert(path);
                }
            }
            What::Input { path, found, said } => {
                let (path, found, said) = (Text(path.clone()), *found, *said);
                self.inputs.add(Finding { path, found, said });
            }
            What::Deadlock { threads } => self.stuck = threads.clone(),
            _ => {}
        }
        Ok(())
    }
}
