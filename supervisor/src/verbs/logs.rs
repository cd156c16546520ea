//! Shows what a run wrote, by virtual time.

use std::{thread, time::Duration};

use simrun_abi::event::Stream;

use super::{Failure, check_node, find_run, printed};
use crate::{
    cli::{Format, LogsArguments},
    report::{say, table::print},
    store::{
        Error,
        output::{Line, Reader},
    },
};

/// How often to look whether there is more.
const TICK: Duration = Duration::from_millis(100);

/// Shows the lines of a run's output.
///
/// # Errors
/// When there is none.
pub fn logs(arguments: &LogsArguments) -> Result<u8, Failure> {
    let folder = find_run(&arguments.stored.place()?, &arguments.run)?;
    let mut record = folder.record()?;
    check_node(arguments.node.as_deref(), &record)?;
    let mut reader = Reader::new(folder.path());
    let fail = |error| Error::File(folder.path().to_path_buf(), error);
    loop {
        let is_over = record.state.is_final() || !arguments.follow;
        // Read after the state: what an ended run wrote is all there.
        let mut lines = reader.lines().map_err(fail)?;
        if is_over {
            lines.extend(reader.unfinished());
            lines.sort_by_key(|line| line.time_ns);
        }
        let text: String = lines
            .iter()
            .filter(|line| is_asked_for(arguments, line))
            .map(|line| shown(line, arguments.stored.format))
            .collect();
        printed(print(text.as_bytes()))?;
        if is_over {
            break;
        }
        thread::sleep(TICK);
        record = folder.record()?;
    }
    if record.pinned.seed != 0 && record.result.is_none() && !arguments.follow {
        say(&format!("run {} is {}: there may be more", record.id, record.state.name()));
    }
    Ok(0)
}

fn is_asked_for(arguments: &LogsArguments, line: &Line) -> bool {
    let since = arguments.since.unwrap_or_default().as_nanos();
    u128::from(line.time_ns) >= since
        && arguments.node.as_ref().is_none_or(|node| *node == line.node)
}

fn shown(line: &Line, format: Format) -> String {
    if format == Format::Json {
        let json = serde_json::to_string(line).expect("names, numbers and text");
        return json + "\n";
    }
    let Line { time_ns, node, pid, stream, text, .. } = line;
    let mark = match stream {
        Stream::Stdout => ' ',
        Stream::Stderr => '!',
    };
    let (seconds, micros) = (time_ns / 1_000_000_000, time_ns / 1000 % 1_000_000);
    format!("{seconds:>6}.{micros:06}s {node} {pid:>4} {mark} {text}\n")
}
