//! Lists the system calls and how well each is covered, from the kernel's own table.

use std::fmt::Write as _;

use serde_json::json;
use simrun_kernel::syscall::table::{self, Coverage};

use super::Failure;
use crate::cli::SyscallsArguments;

/// Prints the list.
///
/// # Errors
/// When it cannot be written.
pub fn syscalls(arguments: &SyscallsArguments) -> Result<u8, Failure> {
    let text = match (arguments.json, arguments.markdown) {
        (true, _) => as_json(),
        (_, true) => as_page(),
        _ => as_text(),
    };
    super::print(&text)
}

struct Entry {
    number: usize,
    name: &'static str,
    coverage: &'static str,
    note: &'static str,
}

fn entries() -> impl Iterator<Item = Entry> {
    table::rows().map(|(number, row)| {
        let (coverage, note) = match row.coverage {
            Coverage::Full => ("full", ""),
            Coverage::Partial(note) => ("partial", note),
            Coverage::Absent(note) => ("absent", note),
        };
        Entry { number, name: row.name, coverage, note }
    })
}

fn as_json() -> String {
    let list: Vec<_> = entries()
        .map(|Entry { number, name, coverage, note }| {
            json!({ "number": number, "name": name, "coverage": coverage, "note": note })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&list).expect("names and numbers");
    text.push('\n');
    text
}

fn as_text() -> String {
    let mut text = String::new();
    for Entry { number, name, coverage, note } in entries() {
        let line = format!("{number:>3}  {name:<24} {coverage:<8} {note}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn as_page() -> String {
    let mut text = String::from(
        "# System calls\n\nWritten by `simrun syscalls --markdown`; do not edit. *Full* means as Linux does it, as far \
         as we know;\n*absent* that it fails as on a Linux without it. A call that is not listed fails with ENOSYS, \
         and the summary says so.\n\n| Number | Call | Coverage | Note |\n|---:|---|---|---|\n",
    );
    for Entry { number, name, coverage, note } in entries() {
        let _ = writeln!(text, "| {number} | {name} | {coverage} | {note} |");
    }
    text
}
