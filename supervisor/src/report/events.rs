//! What happened in a run, for people: its events without those that only machines read.

use std::{
    collections::{BTreeMap, VecDeque},
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

/// The end of a run, and what went wrong before.
#[derive(Default)]
pub struct Story {
    /// Of what happened before the rest, that which is marked: the last of it.
    pub before: Vec<Happening>,
    /// What happened last.
    pub last: Vec<Happening>,
}

/// What happened in a run: so much of its end, and so many marked things before. Nothing if its events were not kept.
///
/// # Errors
/// When they cannot be read.
pub fn story(folder: &RunFolder, last: usize, before: usize) -> Result<Story, Error> {
    let Some(path) = folder.events() else { return Ok(Story::default()) };
    let record = folder.record()?;
    let file = File::open(&path).map_err(|error| Error::File(path, error))?;
    let (mut early, mut late) = (VecDeque::new(), VecDeque::new());
    let mut lines = Lines::default();
    let told = BufReader::new(file).lines().map_while(Result::ok).flat_map(|line| {
        let told = happenings(&line, |node| record.node_name(node));
        told.into_iter().flat_map(|happening| lines.put(happening)).collect::<Vec<_>>()
    });
    let mut keep = |happening: Happening| {
        late.push_back(happening);
        let Some(oldest) = (late.len() > last).then(|| late.pop_front()).flatten() else { return };
        if oldest.is_marked {
            early.push_back(oldest);
            if early.len() > before {
                early.pop_front();
            }
        }
    };
    told.for_each(&mut keep);
    lines.rest().for_each(keep);
    Ok(Story { before: early.into(), last: late.into() })
}

/// What of an output is the start of a line whose end has not been written yet: many a program writes a line in pieces.
#[derive(Default)]
struct Lines(BTreeMap<(String, u64, String), Happening>);

impl Lines {
    /// Takes what happened, and gives what can be told now. A line is told when it ends, at the latest with its process.
    fn put(&mut self, happening: Happening) -> Vec<Happening> {
        match happening.what.as_str() {
            OUT | ERR => {}
            "exit" => {
                let (node, pid) = (happening.node.clone(), happening.pid);
                let of = |stream: &str| (node.clone(), pid, stream.to_owned());
                let left = [OUT, ERR].into_iter().filter_map(|stream| self.0.remove(&of(stream)));
                return left.filter_map(told).chain([happening]).collect();
            }
            _ => return vec![happening],
        }
        let key = (happening.node.clone(), happening.pid, happening.what.clone());
        let mut text = self.0.remove(&key).map_or(String::new(), |begun| begun.text);
        text += &happening.text;
        let mut lines: Vec<&str> = text.split('\n').collect();
        let unfinished = lines.pop().unwrap_or_default();
        let like = |text: &str| Happening { text: text.to_owned(), ..happening.clone() };
        let whole = lines.iter().filter_map(|line| told(like(line))).collect();
        if !unfinished.is_empty() {
            self.0.insert(key, like(unfinished));
        }
        whole
    }

    /// What was never ended.
    fn rest(self) -> impl Iterator<Item = Happening> {
        self.0.into_values().filter_map(told)
    }
}

/// A line of an output as it is told.
fn told(line: Happening) -> Option<Happening> {
    let text = line.text.trim_end_matches('\r');
    let is_violation = text.starts_with("INVARIANT ") && text.contains(" FAIL");
    let sign = if line.what == ERR { "!" } else { ">" };
    let told = Happening {
        what: "output".into(),
        text: format!("{sign} {text}"),
        is_marked: is_violation,
        ..line
    };
    Some(told).filter(|_| !text.is_empty())
}

/// What acts in events that no machine has a part in.
const NETWORK: &str = "network";
/// Kinds of events that are pieces of an output.
const OUT: &str = "stdout";
/// The same, of the other stream.
const ERR: &str = "stderr";

/// What a line of a trace tells: nothing, one thing, or one of each thread. Of an output it is a piece.
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
            let effect = text("effect");
            // Nobody does or suffers that a partition begins or heals.
            let is_turn = effect.contains(" begins") || effect.ends_with(" has healed");
            let is_of_all = is_turn && effect.starts_with("a ") && call.is_empty();
            let node = if is_of_all { NETWORK } else { node_name(number("node") as usize) };
            let words = format!("fault {}: {call}{effect}", text("fault"));
            vec![Happening { node: node.to_owned(), ..happening(words, true) }]
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
            let stream = if event["stream"] == "stderr" { ERR } else { OUT };
            // Bytes that are no text are a line of their own.
            let piece = event["text"].as_str().unwrap_or("bytes that are no text\n").to_owned();
            vec![Happening { what: stream.to_owned(), ..happening(piece, false) }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_in_words() {
        let told = |lines: &[&str]| -> Vec<(String, bool)> {
            let mut pieces = Lines::default();
            let all = lines.iter().flat_map(|line| happenings(line, |_| "simrun"));
            let mut told: Vec<_> = all.flat_map(|happening| pieces.put(happening)).collect();
            told.extend(pieces.rest());
            told.into_iter().map(|told| (told.text, told.is_marked)).collect()
        };
        type Case<'a> = (&'a [&'a str], &'a [(&'a str, bool)]);
        let cases: [Case<'_>; 8] = [
            (&[r#"{"what":"exit","status":768}"#], &[("exits with status 3", true)]),
            (&[r#"{"what":"exit","status":0}"#], &[("exits with status 0", false)]),
            (
                &[r#"{"what":"output","stream":"stdout","text":"a\n\nINVARIANT x y FAIL z\n"}"#],
                &[("> a", false), ("> INVARIANT x y FAIL z", true)],
            ),
            (&[r#"{"what":"output","stream":"stderr","text":"b"}"#], &[("! b", false)]),
            (
                &[
                    r#"{"what":"output","pid":1,"stream":"stdout","text":"INVARIANT x"}"#,
                    r#"{"what":"output","pid":2,"stream":"stdout","text":"c\nd"}"#,
                    r#"{"what":"output","pid":1,"stream":"stderr","text":"e\n"}"#,
                    r#"{"what":"output","pid":1,"stream":"stdout","text":" y FAIL z\nf"}"#,
                    r#"{"what":"exit","pid":1,"status":0}"#,
                ],
                &[
                    ("> c", false),
                    ("! e", false),
                    ("> INVARIANT x y FAIL z", true),
                    ("> f", false),
                    ("exits with status 0", false),
                    ("> d", false),
                ],
            ),
            (
                &[
                    r#"{"what":"fault","fault":"f/a","call":"","effect":"a partition of a | b begins"}"#,
                ],
                &[("fault f/a: a partition of a | b begins", true)],
            ),
            (&[r#"{"what":"choice","number":1}"#], &[]),
            (&["no event"], &[]),
        ];
        for (lines, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(text, mark)| ((*text).to_owned(), *mark)).collect();
            assert_eq!(told(lines), expected, "{lines:?}");
        }
    }
}
