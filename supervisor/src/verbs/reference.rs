//! Pages of the reference: tables of what files may say, from the types that read them.

use std::fmt::Write;

use serde_json::Value;

/// Tables of keys: of the file, and of what each of these types has.
///
/// # Panics
/// If the schema has no such type.
pub fn keys(text: &mut String, schema: &Value, types: &[(&str, &str)]) {
    text.push_str("\n## Keys\n");
    section(text, "The file", schema);
    for (title, name) in types {
        let key = name.replace("_for_Time", "");
        let found = schema["$defs"].get(*name).or_else(|| schema["$defs"].get(&key));
        section(text, title, found.expect("the schema has it"));
    }
}

/// A table of units.
pub fn units(text: &mut String, schema: &Value, names: &[&str]) {
    text.push_str("\n## Units\n\n| | As in | |\n|---|---|---|\n");
    for name in names {
        let unit = &schema["$defs"][name];
        let pattern = unit["pattern"].as_str().unwrap_or_default().replace('|', "\\|");
        let example = unit["examples"][0].as_str().unwrap_or_default();
        let _ = writeln!(text, "| {name} | `{example}` | `{pattern}` |");
    }
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
