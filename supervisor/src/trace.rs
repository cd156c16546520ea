//! Events as JSON lines.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde::Serialize;
use serde_json::{Map, Value};
use simrun_abi::event::{Event, What};

/// A file of events. What goes wrong while writing is told at the end: a full disk loses the trace, not the run.
pub struct Trace {
    out: BufWriter<Box<dyn Write>>,
    error: Option<io::Error>,
}

/// One line of a trace.
#[derive(Serialize)]
struct Line<'a> {
    /// Its number, left out of what is no part of the log.
    #[serde(skip_serializing_if = "is_zero")]
    event: u64,
    time_ns: u64,
    /// Index of the node; the first one is left out.
    #[serde(skip_serializing_if = "is_first")]
    node: u16,
    pid: u32,
    tid: u32,
    what: &'a str,
    #[serde(flatten)]
    details: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_first(node: &u16) -> bool {
    *node == 0
}

impl Trace {
    /// A trace in this file; `-` is standard error.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(if path == Path::new("-") {
            Self::to(io::stderr())
        } else {
            Self::to(File::create(path)?)
        })
    }

    /// A trace into this.
    pub fn to(out: impl Write + 'static) -> Self {
        Self { out: BufWriter::with_capacity(1 << 16, Box::new(out)), error: None }
    }

    /// Appends an event.
    pub fn write(&mut self, event: &Event) {
        if self.error.is_none()
            && let Err(error) = writeln!(self.out, "{}", line(event))
        {
            self.error = Some(error);
        }
    }

    /// Writes out what is left.
    pub fn finish(mut self) -> io::Result<()> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

/// An event as one line of JSON.
pub fn line(event: &Event) -> String {
    let (what, details) = match &event.what {
        What::Call { text, result, reason } => ("call", call_details(text, *result, reason)),
        What::Output { stream, bytes } => ("output", output_details(*stream, bytes)),
        What::StandardInput { bytes } => ("standard-input", Map::from_iter([readable(bytes)])),
        What::Input { path, found, said: _ } => {
            let path = String::from_utf8_lossy(path).into_owned();
            let found = serde_json::to_value(found).expect("a name");
            ("input", Map::from_iter([("path".to_owned(), path.into()), ("found".into(), found)]))
        }
        other => tagged(other),
    };
    let line = Line {
        event: event.number,
        time_ns: event.time_ns,
        node: event.node,
        pid: event.pid,
        tid: event.tid,
        what,
        details,
    };
    serde_json::to_string(&line).expect("an event has nothing that JSON has not")
}

/// `getpid() = 7`, `open("x", O_RDONLY) = -1 ENOENT (why)`.
fn call_details(text: &str, result: i64, reason: &str) -> Map<String, Value> {
    let (name, why) = reason.split_once(": ").unwrap_or((reason, ""));
    let shown = match (reason.is_empty(), why.is_empty()) {
        (true, _) if !(0..=0xffff_ffff).contains(&result) => format!("{text} = {result:#x}"),
        (true, _) => format!("{text} = {result}"),
        (false, true) => format!("{text} = -1 {name}"),
        (false, false) => format!("{text} = -1 {name} ({why})"),
    };
    Map::from_iter([("call".into(), shown.into())])
}

fn output_details(stream: simrun_abi::event::Stream, bytes: &[u8]) -> Map<String, Value> {
    let stream = serde_json::to_value(stream).expect("a name");
    Map::from_iter([("stream".to_owned(), stream), readable(bytes)])
}

/// Bytes as `text`, or as `base16` where they are none.
fn readable(bytes: &[u8]) -> (String, Value) {
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text".to_owned(), Value::from(text)),
        Err(_) => ("base16".to_owned(), Value::from(base16(bytes))),
    }
}

/// Two digits a byte.
pub fn base16(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Takes `{"name": {fields}}` apart.
fn tagged(what: &What) -> (&'static str, Map<String, Value>) {
    let name = match what {
        What::Choice { .. } => "choice",
        What::Start { .. } => "start",
        What::Exec { .. } => "exec",
        What::Exit { .. } => "exit",
        What::NodeEnded { .. } => "node-ended",
        What::Signal { .. } => "signal",
        What::Output { .. } => "output",
        What::StandardInput { .. } => "standard-input",
        What::Message { .. } => "message",
        What::Escape { .. } => "escape",
        What::Loop { .. } => "loop",
        What::Searched { .. } => "searched",
        What::Input { .. } => "input",
        What::Fault { .. } => "fault",
        What::Deadlock { .. } => "deadlock",
        What::Call { .. } => "call",
    };
    match serde_json::to_value(what) {
        Ok(Value::Object(object)) => match object.into_iter().next() {
            Some((_, Value::Object(fields))) => (name, fields),
            _ => (name, Map::new()),
        },
        _ => (name, Map::new()),
    }
}

/// The scheduling choices that a trace recorded, as (number, option).
///
/// # Errors
/// The number of the first line that is none of a trace.
pub fn choices(text: &str) -> Result<Vec<(u64, u32)>, usize> {
    let mut choices = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|_| index + 1)?;
        if value["what"] != "choice" {
            continue;
        }
        let number = value["number"].as_u64().ok_or(index + 1)?;
        let taken = value["taken"].as_u64().and_then(|taken| u32::try_from(taken).ok());
        choices.push((number, taken.ok_or(index + 1)?));
    }
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use simrun_abi::event::Stream;

    use super::*;

    fn event(what: What) -> Event {
        Event { number: 12, time_ns: 1500, node: 0, pid: 7, tid: 8, what }
    }

    #[test]
    fn lines_name_time_actor_and_what() {
        let call = |result, reason: &str| What::Call {
            text: "read(3, 0x10, 5)".into(),
            result,
            reason: reason.into(),
        };
        let cases = [
            (
                What::Choice { number: 3, options: 2, taken: 1 },
                r#""choice","number":3,"options":2,"taken":1"#,
            ),
            (What::Exit { status: 256 }, r#""exit","status":256"#),
            (call(5, ""), r#""call","call":"read(3, 0x10, 5) = 5""#),
            (call(-9, "EBADF"), r#""call","call":"read(3, 0x10, 5) = -1 EBADF""#),
            (call(-9, "EBADF: closed"), r#""call","call":"read(3, 0x10, 5) = -1 EBADF (closed)""#),
            (
                What::Output { stream: Stream::Stdout, bytes: b"hi\n".to_vec() },
                r#""output","stream":"stdout","text":"hi\n""#,
            ),
            (
                What::Output { stream: Stream::Stderr, bytes: vec![0xff, 0] },
                r#""output","stream":"stderr","base16":"ff00""#,
            ),
        ];
        for (what, expected) in cases {
            let expected =
                format!(r#"{{"event":12,"time_ns":1500,"pid":7,"tid":8,"what":{expected}}}"#);
            assert_eq!(line(&event(what)), expected);
        }
    }

    #[test]
    fn a_trace_is_a_schedule() {
        let lines = [
            line(&event(What::Choice { number: 0, options: 2, taken: 1 })),
            line(&event(What::Exit { status: 0 })),
            line(&event(What::Choice { number: 1, options: 3, taken: 2 })),
        ];
        assert_eq!(choices(&lines.join("\n")), Ok(vec![(0, 1), (1, 2)]));
        assert_eq!(choices("\nnonsense"), Err(2));
    }
}
