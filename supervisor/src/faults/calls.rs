//! System calls by name.

use simrun_config::{Spanned, Wrong, spelling};
use simrun_kernel::{
    fault::Pattern,
    syscall::{
        subject::{self, Subject},
        table::{self, Coverage},
    },
};

/// A system call that a fault may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: &'static str,
}

/// Calls that never return, or return elsewhere.
const WITHOUT_RETURN: [&str; 4] = ["exit", "exit_group", "rt_sigreturn", "restart_syscall"];

impl Call {
    /// What it is about.
    pub fn subject(self) -> Subject {
        subject::of(u64::from(self.number))
    }
}

/// All calls that are there, by number.
pub fn all() -> Vec<Call> {
    table::rows()
        .filter(|(_, row)| !matches!(row.coverage, Coverage::Absent(_)))
        .filter(|(_, row)| !WITHOUT_RETURN.contains(&row.name))
        .filter_map(|(number, row)| {
            Some(Call { number: u16::try_from(number).ok()?, name: row.name })
        })
        .collect()
}

/// The calls of a name, or of a pattern.
///
/// # Errors
/// When there are none.
pub fn named(name: &Spanned<String>) -> Result<Vec<Call>, Wrong> {
    let all = all();
    let pattern = Pattern::new(name);
    let found: Vec<_> =
        all.iter().copied().filter(|call| pattern.matches(call.name.as_bytes())).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if name.contains('*') {
        return Err(name.wrong(format!("no call is named like `{}`", name.value)));
    }
    let hint = spelling::hint(name, all.iter().map(|call| call.name));
    Err(name.wrong(format!("there is no call `{}`{hint}", name.value)))
}
