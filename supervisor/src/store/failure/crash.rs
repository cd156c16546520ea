//! Finds the message and the stack of a crash in what a program wrote to standard error.
//!
//! Runtimes write them each in their own way; a reader here knows one. Where none finds anything, the last line stands
//! for the crash.

/// Most functions of a stack that count: further out it is the same for all.
const STACK_MAX: usize = 6;

/// A crash as the program tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Crash {
    /// What happened.
    pub message: String,
    /// Functions, from the innermost outward, without places.
    pub stack: Vec<String>,
}

/// The crash that this text tells of; `None` where there is no text.
pub fn find(text: &str) -> Option<Crash> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let readers = [sanitizer, rust, go, python, cpp, assertion, at_frames];
    let mut found = readers.iter().find_map(|reader| reader(&lines)).or_else(|| {
        let last = lines.iter().rev().find(|line| !line.is_empty())?;
        Some(Crash { message: last.trim().to_owned(), stack: Vec::new() })
    })?;
    found.stack.truncate(STACK_MAX);
    Some(found)
}

/// `SUMMARY: AddressSanitizer: heap-use-after-free file.c:3 in function`.
fn sanitizer(lines: &[&str]) -> Option<Crash> {
    let message = lines.iter().find_map(|line| line.trim_start().strip_prefix("SUMMARY: "))?;
    if !message.contains("Sanitizer: ") {
        return None;
    }
    let first = lines.iter().position(|line| line.trim_start().starts_with("#0 "))?;
    // `    #0 0x55d0 in function file.c:3:5`; the first stack ends at an empty line.
    let frame = |line: &&str| {
        let rest = line.trim_start().strip_prefix('#')?;
        let function = rest.split_once(" in ").map_or(rest, |(_, function)| function);
        Some(function.split_whitespace().next()?.to_owned())
    };
    let stack = lines[first..].iter().map_while(frame).collect();
    Some(Crash { message: message.to_owned(), stack })
}

/// `thread 'main' panicked at src/main.rs:2:5:` and the message below it.
fn rust(lines: &[&str]) -> Option<Crash> {
    let at = lines.iter().position(|line| {
        line.starts_with("thread '") && line.contains("' ") && line.contains(" panicked at ")
    })?;
    let (_, place) = lines[at].split_once(" panicked at ")?;
    let words = lines.get(at + 1).copied().unwrap_or_default();
    // The file counts, line and column do not: they move with every change.
    let file = place.split(':').next().unwrap_or_default();
    // `   3: service::ledger::add`.
    let frame = |line: &&str| {
        let (number, function) = line.trim_start().split_once(": ")?;
        number.parse::<u32>().ok()?;
        Some(function.trim().to_owned())
    };
    let is_own = |name: &String| {
        !["std::", "core::", "rust_begin", "__"].iter().any(|p| name.starts_with(p))
    };
    let stack = lines[at..].iter().filter_map(frame).filter(is_own).collect();
    Some(Crash { message: format!("panicked in {file}: {words}"), stack })
}

/// `panic: message` or `fatal error: message`, then `goroutine 1 [running]:` and its frames.
fn go(lines: &[&str]) -> Option<Crash> {
    let starts = ["panic: ", "fatal error: "];
    let at = lines.iter().position(|line| starts.iter().any(|start| line.starts_with(start)))?;
    let running = lines[at..].iter().position(|line| line.starts_with("goroutine "))? + at;
    // `main.transfer(0xc000012345, 0x2)`, and a line with the place after it.
    let frame = |line: &&str| {
        let name = line.split_once('(').map(|(name, _)| name)?;
        (!line.starts_with(char::is_whitespace) && !name.is_empty()).then(|| name.to_owned())
    };
    let end = lines[running..].iter().position(|line| line.is_empty()).map(|len| running + len);
    let stack = lines[running + 1..end.unwrap_or(lines.len())].iter().filter_map(frame).collect();
    Some(Crash { message: lines[at].to_owned(), stack })
}

/// The last `Traceback (most recent call last):`, its frames, and the exception after them.
fn python(lines: &[&str]) -> Option<Crash> {
    let at =
        lines.iter().rposition(|line| line.starts_with("Traceback (most recent call last):"))?;
    let message = lines[at + 1..].iter().find(|line| !line.starts_with(' '))?;
    // `  File "service.py", line 3, in transfer`.
    let frame = |line: &&str| {
        let rest = line.trim_start().strip_prefix("File \"")?;
        Some(rest.rsplit_once(", in ")?.1.to_owned())
    };
    let mut stack: Vec<_> = lines[at..].iter().filter_map(frame).collect();
    stack.reverse();
    Some(Crash { message: (*message).to_owned(), stack })
}

/// `terminate called after throwing an instance of 'std::runtime_error'` and `  what():  message`.
fn cpp(lines: &[&str]) -> Option<Crash> {
    let start = "terminate called after throwing an instance of '";
    let at = lines.iter().position(|line| line.starts_with(start))?;
    let kind = lines[at].trim_start_matches(start).trim_end_matches('\'');
    let what = lines.get(at + 1).and_then(|line| line.trim_start().strip_prefix("what():"));
    let message = what.map_or(kind.to_owned(), |what| format!("{kind}: {}", what.trim()));
    Some(Crash { message, stack: Vec::new() })
}

/// ``service: service.c:3: transfer: Assertion `a == b' failed.``.
fn assertion(lines: &[&str]) -> Option<Crash> {
    let line = lines.iter().find(|line| line.contains(": Assertion `"))?;
    let (place, condition) = line.split_once(": Assertion `")?;
    let function = place.rsplit(": ").next().unwrap_or_default().to_owned();
    Some(Crash { message: format!("Assertion `{condition}"), stack: vec![function] })
}

/// A line with frames below it that begin with `at`, as Java and JavaScript have them.
fn at_frames(lines: &[&str]) -> Option<Crash> {
    let frame = |line: &&str| {
        let rest =
            line.trim_start().strip_prefix("at ").filter(|_| line.starts_with([' ', '\t']))?;
        Some(rest.split([' ', '(']).next()?.to_owned())
    };
    let first = lines.iter().position(|line| frame(line).is_some()).filter(|&first| first > 0)?;
    let stack = lines[first..].iter().map_while(frame).collect();
    Some(Crash { message: lines[first - 1].trim().to_owned(), stack })
}
