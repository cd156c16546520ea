//! Which call may fail with which error.

use simrun_config::{Spanned, Wrong, spelling};
use simrun_kernel::error::Errno;

/// A line for each call: its name and the errors.
static TABLE: &str = include_str!("errors.txt");

/// Two names for one error (errno(3)).
const ALIASES: [(&str, &str); 3] =
    [("EWOULDBLOCK", "EAGAIN"), ("ENOTSUP", "EOPNOTSUPP"), ("EDEADLOCK", "EDEADLK")];

/// Calls that are over once they can be interrupted, so that a wait of theirs cannot fail with `EINTR`.
const NOT_WHILE_WAITING: [&str; 4] = ["close", "dup2", "dup3", "fsync"];

/// The error of a name.
///
/// # Errors
/// When there is none.
pub fn named(name: &Spanned<String>) -> Result<Errno, Wrong> {
    let known = |text: &str| Errno::NAMED.iter().copied().find(|errno| errno.name() == text);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name.value).map(|(_, real)| *real);
    known(alias.unwrap_or(&name.value)).ok_or_else(|| {
        let hint = spelling::hint(name, Errno::NAMED.iter().map(|errno| errno.name()));
        name.wrong(format!("there is no error `{}`{hint}", name.value))
    })
}

/// The errors that a call may return, by name.
pub fn of(call: &str) -> Vec<&'static str> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter_map(|line| line.split_once(": ")).find(|(name, _)| *name == call);
    let errors = found.map_or("", |(_, errors)| errors).split(' ').filter(|name| !name.is_empty());
    let waits = !NOT_WHILE_WAITING.contains(&call);
    errors.filter(|name| waits || *name != "EINTR").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::calls;

    #[test]
    fn the_table_knows_calls_and_errors_by_their_names() {
        let all = calls::all();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (call, errors) = line.split_once(": ").expect("a call and its errors");
            assert!(all.iter().any(|known| known.name == call), "{call}");
            let names: Vec<_> = errors.split(' ').collect();
            assert!(names.is_sorted(), "{call}");
            for name in names {
                assert!(Errno::NAMED.iter().any(|errno| errno.name() == name), "{call}: {name}");
            }
        }
    }
}
