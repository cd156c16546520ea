//! Writes a simulation file to start from.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use super::{Failure, print};
use crate::{
    cli::InitArguments,
    report::say,
    sim::compose::{Taken, take_over},
};

/// Where Compose looks, in this order.
const COMPOSE: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/// A simulation that works, with comments.
const EXAMPLE: &str = include_str!("init.yaml");

/// Writes it.
///
/// # Errors
/// When a file is there already, cannot be read or written.
pub fn init(arguments: &InitArguments) -> Result<u8, Failure> {
    let file = &arguments.file;
    let given = arguments.compose.clone();
    let compose =
        given.or_else(|| COMPOSE.map(PathBuf::from).into_iter().find(|path| path.is_file()));
    let (text, lost) = match &compose {
        Some(compose) => {
            let Taken { text, lost } = read(compose)?;
            (text, lost)
        }
        None => (EXAMPLE.to_owned(), Vec::new()),
    };
    let written = File::create_new(file).and_then(|mut new| new.write_all(text.as_bytes()));
    written.map_err(|error| Failure::Unknown(format!("{}: {error}", file.display())))?;
    for what in lost {
        say(&format!("not taken over: {what}"));
    }
    let source = compose.map_or_else(String::new, |path| format!(", from {}", path.display()));
    print(&format!("{}{source}; run it with: simrun sim {0}\n", file.display()))
}

fn read(path: &Path) -> Result<Taken, Failure> {
    let shown = path.display().to_string();
    let fail = |words: String| Failure::Unknown(words);
    let text = std::fs::read_to_string(path).map_err(|error| fail(format!("{shown}: {error}")))?;
    let compose: serde_json::Value =
        simrun_config::parse(&shown, &text).map_err(|problem| fail(problem.to_string()))?;
    if !compose["services"].is_object() {
        return Err(fail(format!("{shown}: there are no `services` in it")));
    }
    Ok(take_over(&compose, &shown))
}
