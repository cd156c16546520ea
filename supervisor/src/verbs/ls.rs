//! Lists simulations and runs.

use std::io::IsTerminal;

use serde::Serialize;

use super::{Failure, print_json, printed};
use crate::{
    cli::{Format, LsArguments, RunsArguments},
    report::{
        say,
        table::{Table, ago, print, short},
    },
    store::{
        Place, State, Timestamp,
        find::find,
        index::{Filter, Group, Index, Row},
        simulation::Simulation,
    },
};

/// How many a terminal shows unless asked for more.
const LIMIT_OF_TERMINAL: usize = 50;

/// Lists simulations.
///
/// # Errors
/// When they cannot be read.
pub fn ls(arguments: &LsArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let groups = Index::open(&place)?.groups(limit(arguments.limit))?;
    show(&groups, arguments.stored.format, "nothing is kept", &place, group_table)
}

/// Lists runs.
///
/// # Errors
/// When they cannot be read.
pub fn runs(arguments: &RunsArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let simulation = match &arguments.simulation {
        Some(typed) => {
            let names = Simulation::names(&place)?;
            Some(find("simulation", typed, &names).map_err(crate::store::Error::from)?)
        }
        None => None,
    };
    let filter = Filter {
        simulation,
        state: arguments.state,
        violated: arguments.violations,
        limit: limit(arguments.limit),
    };
    let is_any = filter == Filter { limit: filter.limit, ..Filter::default() };
    let nothing = if is_any { "nothing is kept" } else { "there is no such run" };
    let rows = Index::open(&place)?.runs(&filter)?;
    show(&rows, arguments.stored.format, nothing, &place, run_table)
}

fn limit(asked: Option<usize>) -> Option<usize> {
    asked.or_else(|| std::io::stdout().is_terminal().then_some(LIMIT_OF_TERMINAL))
}

fn show<T: Serialize>(
    items: &[T],
    format: Format,
    nothing: &str,
    place: &Place,
    table: impl FnOnce(&[T]) -> Table,
) -> Result<u8, Failure> {
    match format {
        Format::Json => print_json(&items),
        Format::Text if items.is_empty() => {
            say(&format!("{nothing} in {}", place.path().display()));
            Ok(0)
        }
        Format::Text => printed(print(table(items).text().as_bytes())),
    }
}

fn since(time: Timestamp) -> String {
    ago(time.system_time().elapsed().unwrap_or_default())
}

fn group_table(groups: &[Group]) -> Table {
    let mut table =
        Table::new(&["simulation", "began", "runs", "failed", "state", "command"]).numbers(&[2, 3]);
    for group in groups {
        let count = |state: State| group.states.get(state.name()).copied().unwrap_or(0);
        let failed = count(State::Failed) + count(State::TimedOut);
        let going = count(State::Executing) + count(State::Booting) + count(State::Pending);
        let state = match () {
            () if going > 0 => State::Executing,
            () if failed > 0 && group.runs > 1 => State::Failed,
            () => [State::Failed, State::TimedOut, State::Interrupted]
                .into_iter()
                .find(|state| count(*state) > 0)
                .unwrap_or(State::Succeeded),
        };
        table.push(vec![
            group.id.to_string(),
            since(group.start),
            group.runs.to_string(),
            failed.to_string(),
            state.name().to_owned(),
            group.command.clone(),
        ]);
    }
    table
}

fn run_table(rows: &[Row]) -> Table {
    let names =
        ["run", "began", "seed", "state", "exit", "simulated", "real", "command or failure"];
    let mut table = Table::new(&names).numbers(&[2, 4, 5, 6]);
    for row in rows {
        let duration = |ns| short(std::time::Duration::from_nanos(ns));
        let ended = row.end.is_some();
        table.push(vec![
            row.id.to_string(),
            since(row.start),
            row.seed.to_string(),
            row.state.name().to_owned(),
            row.exit_status.map_or("-".into(), |status| status.to_string()),
            if ended { duration(row.simulated_ns) } else { "-".into() },
            if ended { duration(row.wall_ns) } else { "-".into() },
            row.title.clone().unwrap_or_else(|| row.command.clone()),
        ]);
    }
    table
}
