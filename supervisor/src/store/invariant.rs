//! What a workload says of its invariants, in lines of its output: `INVARIANT <id> <name> PASS|FAIL <summary>`.

use serde::{Deserialize, Serialize};

/// Most invariants that are told apart in one run.
const INVARIANTS_MAX: usize = 1024;
/// Most bytes of a line that is looked at.
const LINE_MAX: usize = 4096;

/// One invariant of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invariant {
    /// Its short name, one word.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How often it held.
    pub passed: u64,
    /// How often it was violated.
    pub failed: u64,
    /// The first violation.
    pub violation: Option<Violation>,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Simulated time.
    pub time_ns: u64,
    /// What the workload says of it.
    pub summary: String,
}

/// A line that speaks of an invariant.
#[derive(Debug, PartialEq, Eq)]
struct Verdict<'a> {
    id: &'a str,
    name: String,
    holds: bool,
    summary: String,
}

fn verdict(line: &str) -> Option<Verdict<'_>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["INVARIANT", id, rest @ ..] = words.as_slice() else { return None };
    let at = rest.iter().position(|word| matches!(*word, "PASS" | "FAIL"))?;
    Some(Verdict {
        id,
        name: rest[..at].join(" "),
        holds: rest[at] == "PASS",
        summary: rest[at + 1..].join(" "),
    })
}

/// Listens to the output of a run.
#[derive(Debug, Default)]
pub struct Invariants {
    found: Vec<Invariant>,
    /// The line that has begun in each stream, and when.
    lines: [Line; 2],
}

#[derive(Debug, Default)]
struct Line {
    time_ns: u64,
    bytes: Vec<u8>,
}

impl Invariants {
    /// A piece of a stream's output: which, when, what.
    pub fn hear(&mut self, stream: usize, time_ns: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let line = &mut self.lines[stream];
            if line.bytes.is_empty() {
                line.time_ns = time_ns;
            }
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            let room = LINE_MAX - line.bytes.len();
            line.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            let Some(end) = end else { return };
            bytes = &bytes[end + 1..];
            self.end_line(stream);
        }
    }

    fn end_line(&mut self, stream: usize) {
        let Line { time_ns, bytes } = std::mem::take(&mut self.lines[stream]);
        if !bytes.starts_with(b"INVARIANT ") {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some(verdict) = verdict(&text) else { return };
        let known = self.found.iter().position(|invariant| invariant.id == verdict.id);
        let at = known.unwrap_or(self.found.len());
        if at == INVARIANTS_MAX {
            return;
        }
        if known.is_none() {
            self.found.push(Invariant {
                id: verdict.id.to_owned(),
                name: verdict.name,
                passed: 0,
                failed: 0,
                violation: None,
            });
        }
        let invariant = &mut self.found[at];
        if verdict.holds {
            invariant.passed += 1;
        } else {
            invariant.failed += 1;
            invariant.violation.get_or_insert(Violation { time_ns, summary: verdict.summary });
        }
    }

    /// All that was said, when nothing more comes.
    pub fn finish(mut self) -> Vec<Invariant> {
        (0..self.lines.len()).for_each(|stream| self.end_line(stream));
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces_and_count_by_id() {
        let mut invariants = Invariants::default();
        invariants.hear(0, 1, b"hello\nINVARIANT sum money is kept PA");
        invariants.hear(1, 2, b"INVARIANT other x FAIL");
        invariants.hear(0, 3, b"SS 10 = 10\nINVARIANT sum money is kept FAIL 9 instead of 10\n");
        invariants.hear(0, 4, b"INVARIANT sum money is kept FAIL 8\nINVARIANT nothing\n");
        let found = invariants.finish();
        assert_eq!(found.len(), 2, "{found:?}");
        let sum = &found[0];
        assert_eq!((sum.name.as_str(), sum.passed, sum.failed), ("money is kept", 1, 2));
        let violation = sum.violation.as_ref().expect("a violation");
        assert_eq!((violation.time_ns, violation.summary.as_str()), (3, "9 instead of 10"));
        assert_eq!((found[1].id.as_str(), found[1].failed), ("other", 1));
    }
}
