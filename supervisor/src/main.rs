//! `simrun`: deterministic simulation testing for programs as they are.
//!
//! - [`cli`]: the command line.
//! - [`plan`]: raw arguments made into one validated plan, before anything runs.
//! - [`launch`]: from boot parameters to the end of a run.
//! - [`run`]: the verb that runs a command.

mod cli;
mod launch;
mod plan;
mod run;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match plan::Plan::new(&arguments).map_err(run::Failure::from).and_then(|plan| run::run(&plan)) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("simrun: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
