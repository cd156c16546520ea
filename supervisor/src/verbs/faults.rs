//! Lists the faults that can be injected, shows one's file, or writes the page on them.

use std::{env, fmt::Write as _};

use super::{Failure, print, reference};
use crate::{
    cli::{FaultsArguments, FaultsVerb},
    faults::{Catalog, FaultFile},
};

/// Does what is asked for.
///
/// # Errors
/// When a file is wrong, or nothing can be written.
pub fn faults(arguments: &FaultsArguments) -> Result<u8, Failure> {
    let fail = |source| Failure::File { doing: "the current directory cannot be found", source };
    match &arguments.verb {
        Some(FaultsVerb::Show { name }) => {
            let catalog = Catalog::of(&env::current_dir().map_err(fail)?);
            print(&catalog.find(name)?.text)
        }
        None if arguments.markdown => print(&page()?),
        None => print(&list(&Catalog::of(&env::current_dir().map_err(fail)?))?),
    }
}

/// A line for each file. One that is wrong is listed with what is wrong.
fn list(catalog: &Catalog) -> Result<String, Failure> {
    let (mut text, names) = (String::new(), catalog.names());
    let width = names.iter().map(String::len).max().unwrap_or_default();
    for name in names {
        let about = match catalog.find(&name)?.read() {
            Ok((file, _)) => file.about,
            Err(problem) => problem.to_string(),
        };
        let _ = writeln!(text, "{name:<width$} {about}");
    }
    Ok(text)
}

/// What the page says before what is generated.
const HEAD: &str = include_str!("faults_head.md");

/// The page of fault files.
///
/// # Errors
/// When one that comes with simrun is wrong.
pub fn page() -> Result<String, Failure> {
    let catalog = Catalog::built_in();
    let mut text = String::from(HEAD);
    text.push_str("\n## Names\n\n| Name | |\n|---|---|\n");
    for name in catalog.names() {
        let (file, _) = catalog.find(&name)?.read().map_err(crate::faults::Error::from)?;
        let _ = writeln!(text, "| `{name}` | {} |", file.about);
    }
    let schema = schemars::schema_for!(FaultFile).to_value();
    let types = [
        ("A fault", "Fault"),
        ("`match`", "Match"),
        ("`argument`", "Argument"),
        ("`do`", "Action"),
        ("`jump-clock`", "Jump"),
        ("`descriptor`", "Descriptor"),
        ("`disk`", "DiskOperation"),
        ("`crash`", "Crash"),
        ("`stop`", "Stop"),
        ("`attrition`", "Attrition"),
        ("`deaths`", "Deaths"),
        ("`skew-clock`", "Skew"),
        ("`raises`", "Raise"),
        ("A family", "Family"),
        ("`prioritize`", "Priorities"),
        ("`bandwidth`", "Line"),
        ("`connect`", "Refusal"),
        ("`lose-in-bursts`", "Bursts"),
        ("`slice`", "Slice"),
        ("`partition`", "Partition"),
        ("`shape`", "Shape"),
        ("`cut`", "Cut"),
        ("`tamper`", "Tampering"),
        ("`resolve`", "Answer"),
        ("`not`", "Spared"),
        ("`hits`", "Victims"),
        ("`protocol`", "Protocol"),
        ("`direction`", "Way"),
        ("How a quantity is drawn", "Spread_for_Time"),
    ];
    reference::keys(&mut text, &schema, &types);
    reference::units(&mut text, &schema, &["Time", "Share", "Frequency", "Bandwidth", "Size"]);
    Ok(text)
}
