//! Prints the JSON Schema of a kind of file, for editors.

use simrun_mocks::MocksFile;

use super::{Failure, faults, mocks, print, sim};
use crate::{
    cli::{FileKind, SchemaArguments},
    faults::FaultFile,
    sim::SimulationFile,
};

/// Prints it.
///
/// # Errors
/// When it cannot be written.
pub fn schema(arguments: &SchemaArguments) -> Result<u8, Failure> {
    let schema = match arguments.kind {
        FileKind::Sim => schemars::schema_for!(SimulationFile),
        FileKind::Faults => schemars::schema_for!(FaultFile),
        FileKind::Mocks => schemars::schema_for!(MocksFile),
    };
    if arguments.markdown {
        return match arguments.kind {
            FileKind::Sim => print(&sim::page()),
            FileKind::Faults => print(&faults::page()?),
            FileKind::Mocks => print(&mocks::page()),
        };
    }
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    print(&format!("{text}\n"))
}
