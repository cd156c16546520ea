//! Runs the same seed again and again and compares the fingerprints.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, Write},
    os::fd::AsRawFd,
    rc::Rc,
};

use nix::sys::memfd::{MFdFlags, memfd_create};
use simrun_abi::boot::Detail;

use super::Failure;
use crate::{
    cli::VerifyArguments,
    exit,
    launch::{self, Outcome, Streams},
    plan::Plan,
    report::{self, Report, say},
    trace::Trace,
};

/// Events shown before the first one that differs.
const CONTEXT: usize = 10;
/// Runs with full traces in which the difference is looked for.
const SEARCHES: u32 = 20;

/// Runs the command so often; fails if two runs differ, and shows where.
///
/// # Errors
/// When there is no run.
pub fn verify(arguments: &VerifyArguments) -> Result<u8, Failure> {
    let mut plan = Plan::new(&arguments.world)?;
    let seed = plan.boot.seed;
    say(&format!("seed {seed}, {} runs", arguments.runs));
    let nowhere = open_null()?;
    let input = Input::new(&nowhere)?;
    let mut first: Option<Outcome> = None;
    for number in 1..=arguments.runs {
        let shown = number == 1;
        let mut report = Report::new(seed, !shown);
        let streams = input.streams(if shown { None } else { Some(&nowhere) })?;
        let mut outcome =
            launch::run(&plan.boot, &streams, plan.wall_timeout, |event| report.note(event))?;
        while let Some(words) = launch::learn(&mut plan.boot, &outcome) {
            report = Report::new(seed, !shown);
            report.warn(&words);
            outcome =
                launch::run(&plan.boot, &streams, plan.wall_timeout, |event| report.note(event))?;
        }
        if shown || !outcome.ending.has_fingerprint() {
            let status = report.finish(&outcome);
            if !outcome.ending.has_fingerprint() {
                say(&format!("run {number} gave no result to compare"));
                return Ok(status);
            }
        }
        let Some(first) = &first else {
            first = Some(outcome);
            continue;
        };
        if outcome.tally.fingerprint != first.tally.fingerprint {
            say(&format!(
                "run {number} differs: fingerprint {:016x} instead of {:016x}",
                outcome.tally.fingerprint, first.tally.fingerprint
            ));
            plan.boot.detail = Detail::Calls;
            show_difference(&plan, &input, &nowhere)?;
            return Ok(exit::FAILED);
        }
    }
    let Some(first) = first else { unreachable!("there are at least two runs") };
    say(&format!(
        "all {} runs are equal: fingerprint {:016x}",
        arguments.runs, first.tally.fingerprint
    ));
    Ok(report::exit_status(&first.ending))
}

fn open_null() -> Result<File, Failure> {
    let mut options = File::options();
    options.read(true).write(true);
    options
        .open("/dev/null")
        .map_err(|source| Failure::File { doing: "/dev/null cannot be opened", source })
}

/// Standard input, the same for each run: what came from a pipe is kept, a terminal's is none.
struct Input {
    file: File,
}

impl Input {
    fn new(nowhere: &File) -> Result<Self, Failure> {
        let fail = |source| Failure::File { doing: "standard input cannot be kept", source };
        let stdin = io::stdin();
        if io::IsTerminal::is_terminal(&stdin) {
            return Ok(Self { file: nowhere.try_clone().map_err(fail)? });
        }
        let mut file = File::from(
            memfd_create(c"simrun-input", MFdFlags::MFD_CLOEXEC)
                .map_err(|error| fail(error.into()))?,
        );
        let mut bytes = Vec::new();
        stdin.lock().read_to_end(&mut bytes).map_err(fail)?;
        file.write_all(&bytes).map_err(fail)?;
        Ok(Self { file })
    }

    /// The streams of the next run: input from its start, output to `output` or simrun's own.
    fn streams(&self, output: Option<&File>) -> Result<Streams, Failure> {
        (&self.file).rewind().map_err(|source| Failure::File {
            doing: "standard input cannot be read again",
            source,
        })?;
        let mut streams = Streams { stdin: self.file.as_raw_fd(), ..Streams::own() };
        if let Some(output) = output {
            (streams.stdout, streams.stderr) = (output.as_raw_fd(), output.as_raw_fd());
        }
        Ok(streams)
    }
}

/// A trace in memory.
#[derive(Clone)]
struct Recording(Rc<RefCell<File>>);

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Recording {
    fn of_run(plan: &Plan, streams: &Streams) -> Result<Self, Failure> {
        let fail = |source| Failure::File { doing: "a trace cannot be kept", source };
        let fd = memfd_create(c"simrun-trace", MFdFlags::MFD_CLOEXEC);
        let recording =
            Self(Rc::new(RefCell::new(File::from(fd.map_err(|error| fail(error.into()))?))));
        let mut trace = Trace::to(recording.clone());
        launch::run(&plan.boot, streams, plan.wall_timeout, |event| trace.write(&event))?;
        trace.finish().map_err(fail)?;
        Ok(recording)
    }

    fn lines(&self) -> Result<impl Iterator<Item = String> + use<>, Failure> {
        let fail = |source| Failure::File { doing: "a trace cannot be read", source };
        let mut file = self.0.borrow().try_clone().map_err(fail)?;
        file.rewind().map_err(fail)?;
        Ok(BufReader::new(file).lines().map_while(Result::ok))
    }
}

/// Runs with full traces until two differ, and shows where.
fn show_difference(plan: &Plan, input: &Input, nowhere: &File) -> Result<(), Failure> {
    let first = Recording::of_run(plan, &input.streams(Some(nowhere))?)?;
    for _ in 0..SEARCHES {
        let other = Recording::of_run(plan, &input.streams(Some(nowhere))?)?;
        if let Some(lines) = difference(first.lines()?, other.lines()?) {
            lines.iter().for_each(|line| say(line));
            return Ok(());
        }
    }
    say(&format!("the difference did not show again in {SEARCHES} runs with full traces"));
    Ok(())
}

/// The first line that differs, with those before it.
fn difference(
    mut a: impl Iterator<Item = String>,
    mut b: impl Iterator<Item = String>,
) -> Option<Vec<String>> {
    let mut before = VecDeque::new();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (Some(x), Some(y)) if x == y => {
                before.push_back(format!("  {x}"));
                if before.len() > CONTEXT {
                    before.pop_front();
                }
            }
            (x, y) => {
                let shown = |line: Option<String>| line.unwrap_or_else(|| "the end".into());
                let mut lines = vec!["the first event that differs, after those before it:".into()];
                lines.extend(before);
                lines.push(format!("- {}", shown(x)));
                lines.push(format!("+ {}", shown(y)));
                return Some(lines);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_comes_with_what_was_before() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter();
        assert_eq!(difference(lines("a b c"), lines("a b c")), None);
        let shown = difference(lines("a b c"), lines("a b d")).expect("they differ");
        assert_eq!(shown[1..], ["  a", "  b", "- c", "+ d"]);
        let shown = difference(lines("a"), lines("a b")).expect("they differ");
        assert_eq!(shown[1..], ["  a", "- the end", "+ b"]);
    }
}
