//! Lists the faults that can be injected, shows one's file, or writes the page on them.

use std::{env, fmt::Write as _};

use serde_json::Value;

use super::{Failure, print};
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
    let mut text = String::new();
    for name in catalog.names() {
        let about = match catalog.find(&name)?.read() {
            Ok((file, _)) => file.about,
            Err(problem) => problem.to_string(),
        };
        let _ = writeln!(text, "{name:<16} {about}");
    }
    Ok(text)
}

/// What the page says before what is generated.
const HEAD: &str = include_str!("faults_head.md");

fn page() -> Result<String, Failure> {
    let catalog = Catalog::built_in();
    let mut text = String::from(HEAD);
    text.push_str("\n## Names\n\n| Name | |\n|---|---|\n");
    for name in catalog.names() {
        let (file, _) = catalog.find(&name)?.read().map_err(crate::faults::Error::from)?;
        let _ = writeln!(text, "| `{name}` | {} |", file.about);
    }
    let schema = schemars::schema_for!(FaultFile).to_value();
    text.push_str("\n## Keys\n");
    section(&mut text, "The file", &schema);
    for (title, name) in [
        ("A fault", "Fault"),
        ("`match`", "Match"),
        ("`argument`", "Argument"),
        ("`do`", "Action"),
        ("`jump-clock`", "Jump"),
        ("`descriptor`", "Descriptor"),
        ("`disk`", "DiskOperation"),
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
        ("`not`", "NodeMatch"),
        ("`protocol`", "Protocol"),
        ("`direction`", "Way"),
        ("How a quantity is drawn", "Spread_for_Time"),
    ] {
        let key = name.replace("_for_Time", "");
        let found = schema["$defs"].get(name).or_else(|| schema["$defs"].get(&key));
        section(&mut text, title, found.expect("the schema has it"));
    }
    text.push_str("\n## Units\n\n| | As in | |\n|---|---|---|\n");
    for name in ["Time", "Share", "Frequency", "Bandwidth", "Size"] {
        let unit = &schema["$defs"][name];
        let pattern = unit["pattern"].as_str().unwrap_or_default().replace('|', "\\|");
        let example = unit["examples"][0].as_str().unwrap_or_default();
        let _ = writeln!(text, "| {name} | `{example}` | `{pattern}` |");
    }
    Ok(text)
}

/// A table of what a type has: the properties of an object, the alternatives of a choice.
fn section(text: &mut String, title: &str, schema: &Value) {
    let about = schema["description"].as_str().unwrap_or_default();
    let about = about.trim_end_matches('.');
    let _ = writeln!(text, "\n### {title}\n\n{about}.\n\n| | |\n|---|---|");
    let mut row = |name: &str, about: &Value| {
        let about = about.as_str().unwrap_or_default().replace('\n', " ");
        let _ = writeln!(text, "| `{name}` | {about} |");
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        row(name, &property["description"]);
    }
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        match choice["const"].as_str() {
            Some(name) => row(name, &choice["description"]),
            None => {
                for name in choice["properties"].as_object().into_iter().flatten() {
                    row(name.0, &choice["description"]);
                }
            }
        }
    }
}
