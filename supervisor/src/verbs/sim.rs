//! Runs the machines of a simulation file.

use super::{Failure, reference, run::once};
use crate::{cli::SimArguments, plan::Subject, sim::SimulationFile};

/// Runs them; the exit status to pass on.
///
/// # Errors
/// When there is no run.
pub fn sim(arguments: &SimArguments) -> Result<u8, Failure> {
    once(&arguments.once, Subject::Simulation(&arguments.file))
}

/// What the page says before what is generated.
const HEAD: &str = include_str!("sim_head.md");

/// The page of simulation files.
pub fn page() -> String {
    let schema = schemars::schema_for!(SimulationFile).to_value();
    let mut text = String::from(HEAD);
    let types = [
        ("Machines", "Machine"),
        ("`chaos`", "Chaos"),
        ("`links`", "Link"),
        ("`after`", "Milestone"),
        ("`ready`", "Ready"),
        ("`answers`", "Request"),
        ("`restart`", "Restart"),
    ];
    reference::keys(&mut text, &schema, &types);
    reference::units(&mut text, &schema, &["Time", "Size", "Bandwidth"]);
    text
}
