//! What happened in a run, for people: its events without those that only machines read.

use std::{
    fs::File,
    io::{BufRead, BufReader},
};

use serde::Serialize;
use serde_json::Value;

use crate::store::{Error, RunFolder};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// Simulated time.
    pub time_ns: u64,
    /// The machine.
    pub node: String,
    /// The process that acted; zero for the machine itself.
    pub pid: u64,
    /// What kind of event it is.
    pub what: String,
    /// In words.
    pub text: String,
    /// Whether it is what went wrong, or a fault that was injected.
    pub is_marked: bool,
}

/// What happened in a run, from the start: so many, the last ones. Nothing if its events were not kept.
///
/// # Errors
/// When they cannot be read.
pub fn last(folder: &RunFolder, count: usize) -> Result<Vec<Happening>, Error> {
    let Some(path) = folder.events() else { return Ok(Vec::new()) };
    let record = folder.record()?;
    let file = File::open(&path).map_err(|error| Error::File(path, error))?;
    let mut last = std::collections::VecDeque::new();
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        for happening in happenings(&line, |node| record.node_name(node)) {
            last.push_back(happening);
            if last.len() > count {
                last.pop_front();
            }
        }
    }
    Ok(last.into())
}

/// What a line of a trace tells: nothing, or one thing, or each line of an output.
fn happenings<'a>(line: &str, node_name: impl Fn(usize) -> &'a str) -> Vec<Happening> {
    let Ok(event) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let what = event["what"].as_str().unwrap_or_default();
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| event[name].as_u64().unwrap_or_default();
    let happening = |text: String, is_marked| Happening {
        time_ns: number("time_ns"),
        node: node_name(number("node") as usize).to_owned(),
        pid: number("pid"),
        what: what.to_owned(),
        text,
        is_marked,
    };
    let one = |text| vec![happening(text, false)];
    match what {
        "start" if event["thread"] == true => one(format!("starts thread {}", number("tid"))),
        "start" => one(format!("starts, made by {}", number("parent"))),
        "exec" => one(format!("runs {}", text("path"))),
        "exit" => {
            let status = number("status");
            let how = match status & 0x7f {
                0 => format!("exits with status {}", status >> 8),
                signal => format!("is killed by signal {signal}"),
            };
            vec![happening(how, status != 0)]
        }
        "signal" => one(format!("sends signal {} to {}", number("signal"), number("target"))),
        "message" => one(text("text")),
        "fault" => {
            let call = match text("call") {
                call if call.is_empty() => String::new(),
                call => format!("{call} {} ", text("subject")),
            };
            vec![happening(format!("fault {}: {call}{}", text("fault"), text("effect")), true)]
        }
        "escape" => one(format!("{}: {}", text("what"), text("effect"))),
        "loop" => one(format!("waits in a loop at {}", text("place"))),
        "deadlock" => {
            let threads = event["threads"].as_array().map_or(&[][..], Vec::as_slice);
            let one = |thread: &Value| {
                let of = |name: &str| thread[name].as_str().unwrap_or_default();
                format!(
                    "deadlock: {} in {} waits for {}",
                    of("program"),
                    of("call"),
                    of("waits_for")
                )
            };
            threads.iter().map(|thread| happening(one(thread), true)).collect()
        }
        "output" => {
            let is_error = event["stream"] == "stderr";
            let written = event["text"].as_str().unwrap_or("bytes that are no text");
            let line = |line: &str| {
                let is_violation = line.starts_with("INVARIANT ") && line.contains(" FAIL");
                happening(format!("{} {line}", if is_error { "!" } else { ">" }), is_violation)
            };
            written.lines().map(line).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        let told = |line: &str| -> Vec<(String, bool)> {
            let told = happenings(line, |_| "simrun").into_iter();
            told.map(|told| (told.text, told.is_marked)).collect()
        };
        let cases: [(&str, &[(&str, bool)]); 6] = [
            (r#"{"what":"exit","status":768}"#, &[("exits with status 3", true)]),
            (r#"{"what":"exit","status":0}"#, &[("exits with status 0", false)]),
            (
                r#"{"what":"output","stream":"stdout","text":"a\nINVARIANT x y FAIL z\n"}"#,
                &[("> a", false), ("> INVARIANT x y FAIL z", true)],
            ),
            (r#"{"what":"output","stream":"stderr","text":"b"}"#, &[("! b", false)]),
            (r#"{"what":"choice","number":1}"#, &[]),
            ("no event", &[]),
        ];
        for (line, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(text, mark)| ((*text).to_owned(), *mark)).collect();
            assert_eq!(told(line), expected, "{line}");
        }
    }
}
