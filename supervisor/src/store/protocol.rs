//! What a workload says of itself in lines of its output: of its [invariants](super::invariant), and of its
//! [named paths](super::named_path).
//!
//! A line is put together by machine, process and stream: others may write in the middle of it.

use std::collections::BTreeMap;

use super::{
    invariant::{Invariant, Invariants},
    named_path::{NamedPath, NamedPaths},
};

/// Most bytes of a line that is looked at.
const LINE_MAX: usize = 4096;

/// Who writes where: machine, process, number of the stream.
pub type Writer = (u16, u32, usize);

/// Listens to the output of a run.
#[derive(Debug, Default)]
pub struct Protocol {
    /// Lines that have begun, and when.
    begun: BTreeMap<Writer, (u64, Vec<u8>)>,
    invariants: Invariants,
    paths: NamedPaths,
}

impl Protocol {
    /// A piece of a stream's output: whose, when, what.
    pub fn hear(&mut self, writer: Writer, time_ns: u64, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (begun_ns, line) = self.begun.entry(writer).or_insert((time_ns, Vec::new()));
            let begun_ns = *begun_ns;
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            line.extend_from_slice(&text[..text.len().min(LINE_MAX - line.len())]);
            if text.len() < piece.len() {
                let line = std::mem::take(line);
                self.begun.remove(&writer);
                self.take_line(begun_ns, &line);
            }
        }
    }

    fn take_line(&mut self, time_ns: u64, line: &[u8]) {
        if !line.starts_with(b"INVARIANT ") && !line.starts_with(b"PATH ") {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["INVARIANT", words @ ..] => self.invariants.take(time_ns, words),
            ["PATH", words @ ..] => self.paths.take(words),
            _ => {}
        }
    }

    /// All that was said, when nothing more comes.
    pub fn finish(mut self) -> (Vec<Invariant>, Vec<NamedPath>) {
        for (time_ns, line) in std::mem::take(&mut self.begun).into_values() {
            self.take_line(time_ns, &line);
        }
        (self.invariants.finish(), self.paths.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces_of_several_writers() {
        let (out, err, other) = ((0, 1, 0), (0, 1, 1), (1, 1, 0));
        let mut protocol = Protocol::default();
        protocol.hear(out, 1, b"hello\nINVARIANT sum money is kept PA");
        protocol.hear(err, 2, b"INVARIANT other x FAIL");
        protocol.hear(other, 2, b"INVARIANT sum money is kept PASS\nPATH cut");
        protocol.hear(out, 3, b"SS 10 = 10\nINVARIANT sum money is kept FAIL 9 instead of 10\n");
        protocol.hear(out, 4, b"INVARIANT sum money is kept FAIL 8\nINVARIANT nothing\nPATH a DE");
        protocol.hear(other, 5, b" off REACHED\n");
        protocol.hear(out, 6, b"CLARED\n XPATH b REACHED\n");
        let (found, paths) = protocol.finish();
        assert_eq!(found.len(), 2, "{found:?}");
        let sum = &found[0];
        assert_eq!((sum.name.as_str(), sum.passed, sum.failed), ("money is kept", 2, 2));
        let violation = sum.violation.as_ref().expect("a violation");
        assert_eq!((violation.time_ns, violation.summary.as_str()), (3, "9 instead of 10"));
        assert_eq!((found[1].id.as_str(), found[1].failed), ("other", 1));
        let path = |name: &str, reached| NamedPath { name: name.into(), reached };
        assert_eq!(paths, [path("a", 0), path("cut off", 1)]);
    }
}
