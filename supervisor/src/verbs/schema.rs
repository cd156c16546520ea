//! Prints the JSON Schema of a kind of file, for editors.

use simrun_mocks::MocksFile;

use super::{Failure, print};
use crate::{
    cli::{FileKind, SchemaArguments},
    faults::FaultFile,
};

/// Prints it.
///
/// # Errors
/// When it cannot be written.
pub fn schema(arguments: &SchemaArguments) -> Result<u8, Failure> {
    let schema = match arguments.kind {
        FileKind::Faults => schemars::schema_for!(FaultFile),
        FileKind::Mocks => schemars::schema_for!(MocksFile),
    };
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    print(&format!("{text}\n"))
}
