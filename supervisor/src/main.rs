//! `simrun`: deterministic simulation testing for programs as they are.
//!
//! - [`cli`]: the command line.
//! - [`plan`]: raw arguments made into one validated plan, before anything runs.
//! - [`launch`]: from boot parameters to the end of a run.
//! - [`verbs`]: what simrun can do, one file each.
//! - [`report`]: what is said of a run on standard error.
//! - [`trace`]: events as JSON lines.
//! - [`exit`]: exit statuses.

mod cli;
mod exit;
mod launch;
mod plan;
mod report;
mod trace;
mod verbs;

use std::process::ExitCode;

use clap::Parser;
use cli::{Arguments, Verb};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { exit::FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    let result = match &arguments.verb {
        None => verbs::run(&arguments.run),
        Some(Verb::Verify(arguments)) => verbs::verify(arguments),
        Some(Verb::Doctor) => verbs::doctor(),
        Some(Verb::Syscalls(arguments)) => verbs::syscalls(arguments),
    };
    match result {
        Ok(status) => status.into(),
        Err(failure) => {
            report::failure(&failure);
            failure.exit_code().into()
        }
    }
}
