//! Spellings of other tools, understood as ours.

use std::ffi::OsString;

/// Two words at the start of a command line, and the verb that they stand for: as `wio` has them.
const ALIASES: [([&str; 2], &str); 9] = [
    (["simulate", "create"], "explore"),
    (["simulate", "ls"], "ls"),
    (["simulate", "status"], "status"),
    (["workloads", "ls"], "runs"),
    (["workloads", "get"], "show"),
    (["workloads", "logs"], "logs"),
    (["workloads", "rerun"], "rerun"),
    (["artifacts", "ls"], "artifacts"),
    (["artifacts", "download"], "artifacts"),
];

/// The arguments, simrun's own name first, in our spelling.
pub fn resolve(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let stands_for = |words: &[&str; 2]| {
        let given = arguments.iter().skip(1).take(2);
        given.map(OsString::as_os_str).eq(words.iter().map(std::ffi::OsStr::new))
    };
    if let Some((_, verb)) = ALIASES.iter().find(|(words, _)| stands_for(words)) {
        arguments.splice(1..3, [OsString::from(verb)]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_become_one_verb() {
        let resolved = |line: &str| {
            let words = resolve(line.split(' ').map(OsString::from).collect());
            words.join(std::ffi::OsStr::new(" ")).into_string().expect("text")
        };
        for (line, expected) in [
            ("simrun workloads logs last -f", "simrun logs last -f"),
            ("simrun artifacts download x y", "simrun artifacts x y"),
            ("simrun artifacts x", "simrun artifacts x"),
            ("simrun -- simulate ls", "simrun -- simulate ls"),
            ("simrun", "simrun"),
        ] {
            assert_eq!(resolved(line), expected);
        }
    }
}
