//! `simrun`: deterministic simulation testing for programs as they are.
//!
//! - [`cli`]: the command line.
//! - [`plan`]: raw arguments made into one validated plan, before anything runs.
//! - [`program`]: a program's environment, and where it is found.
//! - [`sim`]: simulation files, and the machines that are made of them.
//! - [`faults`]: fault files, and the plan that is made of them.
//! - [`mocks`]: services that stand in for others, as machines of a run.
//! - [`launch`]: from boot parameters to the end of a run.
//! - [`conduct`]: a run from its plan to what is said and kept of it.
//! - [`cache`]: what only saves time.
//! - [`store`]: what is kept of runs; [`captured`]: what they have done to their files.
//! - [`explore`]: many runs together.
//! - [`input`]: standard input for several runs.
//! - [`compare`]: where two traces part.
//! - [`verbs`]: what simrun can do, one file each.
//! - [`report`]: what is said of a run on standard error.
//! - [`printer`]: what several machines write, line by line.
//! - [`trace`]: events as JSON lines.
//! - [`exit`]: exit statuses.
//! - [`start`]: from the C library to [`simrun`].
#![cfg_attr(not(test), no_main)]

mod cache;
mod captured;
mod cli;
mod compare;
mod conduct;
mod exit;
mod explore;
mod faults;
mod input;
mod launch;
mod mocks;
mod plan;
mod printer;
mod program;
mod report;
mod sim;
mod start;
mod store;
mod trace;
mod verbs;

use std::env;

use cli::{Arguments, Verb};

/// All of it; the exit status.
fn simrun() -> u8 {
    let arguments = cli::aliases::resolve(env::args_os().collect());
    let arguments = match Arguments::read(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { exit::FAILED } else { 0 };
        }
    };
    let result = match &arguments.verb {
        None => verbs::run(&arguments.run),
        Some(Verb::Sim(arguments)) => verbs::sim(arguments),
        Some(Verb::Init(arguments)) => verbs::init(arguments),
        Some(Verb::Compose(arguments)) => verbs::compose(arguments),
        Some(Verb::Probe(arguments)) => verbs::probe(arguments),
        Some(Verb::Verify(arguments)) => verbs::verify(arguments),
        Some(Verb::Doctor) => verbs::doctor(),
        Some(Verb::Faults(arguments)) => verbs::faults(arguments),
        Some(Verb::Mocks(arguments)) => verbs::mocks(arguments),
        Some(Verb::Schema(arguments)) => verbs::schema(arguments),
        Some(Verb::Syscalls(arguments)) => verbs::syscalls(arguments),
        Some(Verb::Ls(arguments)) => verbs::ls(arguments),
        Some(Verb::Runs(arguments)) => verbs::runs(arguments),
        Some(Verb::Show(arguments)) => verbs::show(arguments),
        Some(Verb::Logs(arguments)) => verbs::logs(arguments),
        Some(Verb::Artifacts(arguments)) => verbs::artifacts(arguments),
        Some(Verb::Rerun(arguments)) => verbs::rerun(arguments),
        Some(Verb::Diff(arguments)) => verbs::diff(arguments),
        Some(Verb::Gc(arguments)) => verbs::gc(arguments),
        Some(Verb::Files(arguments)) => verbs::files(arguments),
        Some(Verb::Explore(arguments)) => verbs::explore(arguments),
        Some(Verb::ExploreWorker) => explore::worker::work(),
        Some(Verb::Status(arguments)) => verbs::status(arguments),
        Some(Verb::Merge(arguments)) => verbs::merge(arguments),
    };
    match result {
        Ok(status) => status,
        Err(failure) => {
            report::failure(&failure);
            failure.exit_code()
        }
    }
}
