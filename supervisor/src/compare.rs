//! Two traces, and the first line in which they differ.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Seek, Write},
    rc::Rc,
};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::{
    launch::{self, Outcome, Streams},
    plan::Plan,
    trace::Trace,
    verbs::Failure,
};

/// Events shown before the first one that differs.
const CONTEXT: usize = 10;

/// A trace in memory.
pub struct TraceInMemory {
    file: Rc<RefCell<File>>,
}

/// What is written goes to the file that both hold.
struct Writer(Rc<RefCell<File>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TraceInMemory {
    /// Runs once; what happened, and how it ended.
    ///
    /// # Errors
    /// When there is no run, or no memory.
    pub fn of_run(plan: &Plan, streams: &Streams) -> Result<(Self, Outcome), Failure> {
        let fail = |source| Failure::File { doing: "a trace cannot be kept", source };
        let fd = memfd_create(c"simrun-trace", MFdFlags::MFD_CLOEXEC);
        let file = Rc::new(RefCell::new(File::from(fd.map_err(|error| fail(error.into()))?)));
        let mut trace = Trace::to(Writer(Rc::clone(&file)));
        let outcome =
            launch::run(&plan.boot, streams, plan.wall_timeout, |event| trace.write(&event))?;
        trace.finish().map_err(fail)?;
        Ok((Self { file }, outcome))
    }

    /// Its lines.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn lines(&self) -> Result<impl Iterator<Item = String> + use<>, Failure> {
        let fail = |source| Failure::File { doing: "a trace cannot be read", source };
        let mut file = self.file.borrow().try_clone().map_err(fail)?;
        file.rewind().map_err(fail)?;
        Ok(lines_of(file))
    }
}

/// The lines of a file, as far as it can be read.
pub fn lines_of(file: File) -> impl Iterator<Item = String> {
    BufReader::new(file).lines().map_while(Result::ok)
}

/// Where two traces part.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The last lines that both have.
    pub before: Vec<String>,
    /// The next line of the first; nothing if it ends there.
    pub first: Option<String>,
    /// The next line of the second; nothing if it ends there.
    pub second: Option<String>,
}

impl Difference {
    /// In words.
    pub fn lines(&self) -> Vec<String> {
        let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "the end".into());
        let mut lines = vec!["the first event that differs, after those before it:".into()];
        lines.extend(self.before.iter().map(|line| format!("  {line}")));
        lines.push(format!("- {}", shown(&self.first)));
        lines.push(format!("+ {}", shown(&self.second)));
        lines
    }
}

/// The first line that differs, with those before it.
pub fn difference(
    mut a: impl Iterator<Item = String>,
    mut b: impl Iterator<Item = String>,
) -> Option<Difference> {
    let mut before = VecDeque::new();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (Some(x), Some(y)) if x == y => {
                before.push_back(x);
                if before.len() > CONTEXT {
                    before.pop_front();
                }
            }
            (first, second) => {
                return Some(Difference { before: before.into(), first, second });
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
        let shown = difference(lines("a b c"), lines("a b d")).expect("they differ").lines();
        assert_eq!(shown[1..], ["  a", "  b", "- c", "+ d"]);
        let shown = difference(lines("a"), lines("a b")).expect("they differ").lines();
        assert_eq!(shown[1..], ["  a", "- the end", "+ b"]);
    }
}
