//! Keeps the tree honest.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Most lines of a file.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of ours below a folder, with its path from the root.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

fn sources() -> Vec<(String, String)> {
    ["interposer", "mocks", "supervisor"]
        .into_iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

/// Fails with all that is wrong at once.
#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_hold_one_idea() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter_map(|(name, text)| {
            let lines = text.lines().count();
            (lines > LINES_MAX).then(|| format!("{name}: {lines} lines, more than {LINES_MAX}"))
        })
        .collect();
    assert_none(&wrong);
}

#[test]
fn nothing_is_put_off_without_a_reason() {
    let marks = ["TODO", "FIXME", "XXX", "HACK"];
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|(name, _)| !name.ends_with("tests/tidy.rs"))
        .flat_map(|(name, text)| {
            text.lines().enumerate().map(move |(index, line)| (name, index, line))
        })
        .filter(|(_, _, line)| {
            // A reason stands behind a colon, in some words.
            let mark = marks.iter().find_map(|mark| line.split_once(mark));
            mark.is_some_and(|(_, rest)| {
                !rest.trim_start().starts_with(':') || rest.split_whitespace().count() < 4
            })
        })
        .map(|(name, index, _)| format!("{name}:{}: put off without a reason", index + 1))
        .collect();
    assert_none(&wrong);
}

#[test]
fn modules_say_what_they_are() {
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|(name, text)| !name.ends_with("/tests.rs") && !text.starts_with("//!"))
        .filter(|(name, _)| !name.starts_with("supervisor/tests/common/"))
        .map(|(name, _)| format!("{name}: begins without a sentence on what it is"))
        .collect();
    assert_none(&wrong);
}

#[test]
fn every_source_file_is_part_of_a_crate() {
    let sources = sources();
    let wrong: Vec<_> = sources
        .iter()
        .filter(|(name, _)| {
            name.contains("/src/") && !name.ends_with("/lib.rs") && !name.ends_with("/main.rs")
        })
        .filter(|(name, _)| {
            let path = Path::new(name).with_extension("");
            let module =
                if path.ends_with("mod") { path.parent().expect("a folder") } else { &path };
            let folder = module.parent().expect("a folder").display().to_string();
            let word = format!("mod {};", module.file_name().expect("a name").display());
            let above =
                ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].map(|end| format!("{folder}{end}"));
            !sources.iter().any(|(other, text)| above.contains(other) && text.contains(&word))
        })
        .map(|(name, _)| format!("{name}: no module has it"))
        .collect();
    assert_none(&wrong);
}

/// What would let the host into the simulated kernel, or hash order.
const FORBIDDEN: [&str; 6] =
    ["std::", "extern crate std", "HashMap", "HashSet", "core::arch::asm", "_rdtsc"];

#[test]
fn the_kernel_knows_nothing_of_the_host() {
    let wrong: Vec<_> = files("interposer/kernel/src", "rs")
        .iter()
        .flat_map(|(name, text)| {
            // What only tests use stands last in a file.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines =
                code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            lines.filter_map(move |(index, line)| {
                let word = FORBIDDEN.iter().find(|word| line.contains(*word))?;
                Some(format!("{name}:{}: {word}", index + 1))
            })
        })
        // What has hashes in it lets nobody see their order.
        .filter(|place| !place.contains("/tests.rs") && !place.contains("/lookup.rs"))
        .collect();
    assert_none(&wrong);
}

/// The kernel's modules from the lowest layer up; those of one row may use each other.
const LAYERS: [&[&str]; 10] = [
    &["node", "uapi", "error", "arch", "random", "slab", "lookup"],
    &["user", "host"],
    &["event", "time"],
    &["wait", "sched", "spin", "fault"],
    &["mm", "signal", "futex", "outcome"],
    &["machine"],
    &["poll", "file", "aio"],
    &["process", "fs", "net", "node", "ipc"],
    &["context", "syscall"],
    &["kernel"],
];

/// Upward uses that there are, as (module, what it uses). The list may only get shorter.
const UPWARD: [(&str, &str); 19] = [
    ("context", "kernel"),
    ("file", "fs"),
    ("file", "net"),
    ("file", "process"),
    ("fs", "context"),
    ("fs", "kernel"),
    ("futex", "kernel"),
    ("futex", "process"),
    ("host", "mm"),
    ("machine", "fs"),
    ("machine", "process"),
    ("outcome", "kernel"),
    ("sched", "process"),
    ("signal", "kernel"),
    ("signal", "machine"),
    ("signal", "process"),
    ("syscall", "kernel"),
    ("uapi", "host"),
    ("wait", "process"),
];

/// The modules of its own crate that a file uses, in paths and in groups of imports.
fn used_modules(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut used = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            used.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_start = true;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                c if c.is_whitespace() => {}
                _ if at_start => {
                    used.push(name(&group[index..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn lower_layers_of_the_kernel_use_no_higher_ones() {
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut wrong = Vec::new();
    for (name, text) in files("interposer/kernel/src", "rs") {
        let path = name.strip_prefix("interposer/kernel/src/").expect("a kernel file");
        let own = path.split(['/', '.']).next().unwrap_or_default();
        let Some(own_layer) = layer(own) else { continue };
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // What comments point to is no use.
        let code: Vec<_> =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for used in used_modules(&code.join("\n")) {
            let upward = layer(&used).is_some_and(|layer| layer > own_layer);
            if upward && !UPWARD.contains(&(own, used.as_str())) && !path.ends_with("/tests.rs") {
                wrong.push(format!("{name}: uses {used}, which is above {own}"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn groups_of_imports_are_taken_apart() {
    let text = "use crate::{a::{B, C}, d::E,\n f};\ncrate::g::h();";
    assert_eq!(used_modules(text), ["a", "d", "f", "g"]);
}
