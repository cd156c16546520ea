//! Time zones by name: which of them are rules, and what their files say.

use std::path::Path;

use simrun_abi::node_faults::TimeZone;
use simrun_config::{Spanned, Wrong, spelling};

/// Where the files of the database are.
const DATABASE: &str = "/usr/share/zoneinfo";
/// Most seconds that a zone may be away from UTC (RFC 9636, section 3.3.1), as hours.
const HOURS_MAX: i32 = 24;

/// The time zone of a name.
///
/// # Errors
/// When it is none.
pub fn read(name: &Spanned<String>) -> Result<TimeZone, Wrong> {
    let is_right = |c: char| c.is_ascii_alphanumeric() || "/_+-:<>,.".contains(c);
    let goes_up = name.starts_with('/') || name.split('/').any(|part| part == "..");
    if name.is_empty() || !name.chars().all(is_right) || goes_up {
        let words = format!("`{}` is no time zone, as in `Europe/Zurich`", name.value);
        return Err(name.wrong(words));
    }
    let file = Rule::read(name).map(|rule| rule.file(name));
    Ok(TimeZone { name: name.value.clone(), file })
}

/// Whether the database has a zone that is no rule.
///
/// # Errors
/// When it has not.
pub fn check(name: &Spanned<String>) -> Result<(), Wrong> {
    if Rule::read(name).is_some() || Path::new(DATABASE).join(&name.value).is_file() {
        return Ok(());
    }
    let known = names(Path::new(DATABASE), "");
    if known.is_empty() {
        let words = format!("there is no time zone `{}`: {DATABASE} is empty", name.value);
        return Err(name.wrong(words));
    }
    let hint = spelling::hint(name, known.iter().map(String::as_str));
    Err(name.wrong(format!("there is no time zone `{}`{hint}", name.value)))
}

/// Names of the database's zones: they begin with a capital, as do their folders.
fn names(folder: &Path, above: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            continue;
        }
        let name = format!("{above}{name}");
        match entry.path().is_dir() {
            true => names.extend(self::names(&entry.path(), &format!("{name}/"))),
            false => names.push(name),
        }
    }
    names.sort();
    names
}

/// What a rule begins with, as in `CET-1CEST` (tzset(3)).
#[derive(Debug, PartialEq, Eq)]
struct Rule<'a> {
    /// What standard time is called.
    standard: &'a str,
    /// How far it is ahead of UTC, in seconds.
    ahead: i32,
}

impl<'a> Rule<'a> {
    /// `None` if a name is no rule.
    fn read(text: &'a str) -> Option<Self> {
        let (standard, rest) = match text.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>')?,
            None => text.split_at(text.find(|c: char| !c.is_ascii_alphabetic())?),
        };
        let is_right = |c: char| c.is_ascii_alphanumeric() || "+-".contains(c);
        if standard.len() < 3 || !standard.chars().all(is_right) {
            return None;
        }
        let (behind, rest) = match rest.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let offset =
            &rest[..rest.find(|c: char| c != ':' && !c.is_ascii_digit()).unwrap_or(rest.len())];
        let parts: Vec<i32> = offset.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [hours, parts @ ..] = parts.as_slice() else { return None };
        if *hours > HOURS_MAX || parts.len() > 2 || parts.iter().any(|part| !(0..60).contains(part))
        {
            return None;
        }
        let (minutes, seconds) = (parts.first().unwrap_or(&0), parts.get(1).unwrap_or(&0));
        Some(Self { standard, ahead: -behind * (hours * 3600 + minutes * 60 + seconds) })
    }

    /// A file that has standard time from 1901 on and the rule after that (RFC 9636).
    fn file(&self, rule: &str) -> Vec<u8> {
        let mut file = Vec::new();
        for time in [i32::MIN.to_be_bytes().to_vec(), i64::from(i32::MIN).to_be_bytes().to_vec()] {
            file.extend_from_slice(b"TZif2");
            file.extend_from_slice(&[0; 15]);
            // Of UTC and standard time indicators and leap seconds there are none, of times, types and letters these.
            for count in [0, 0, 0, 1, 1, self.standard.len() as u32 + 1] {
                file.extend_from_slice(&count.to_be_bytes());
            }
            file.extend_from_slice(&time);
            file.push(0);
            file.extend_from_slice(&self.ahead.to_be_bytes());
            file.extend_from_slice(&[0, 0]);
            file.extend_from_slice(self.standard.as_bytes());
            file.push(0);
        }
        file.extend_from_slice(format!("\n{rule}\n").as_bytes());
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_from_names_of_files() {
        let cases = [
            ("NPT-5:45", Some(("NPT", 5 * 3600 + 45 * 60))),
            ("CET-1CEST,M3.5.0,M10.5.0/3", Some(("CET", 3600))),
            ("EST5EDT", Some(("EST", -5 * 3600))),
            ("<+0330>-3:30", Some(("+0330", 3 * 3600 + 30 * 60))),
            ("GMT+0:0:9", Some(("GMT", -9))),
            ("UTC", None),
            ("Europe/Zurich", None),
            ("Etc/GMT+5", None),
            ("AB5", None),
            ("ABC25", None),
            ("ABC1:60", None),
            ("<ABC", None),
        ];
        for (name, expected) in cases {
            let found = Rule::read(name).map(|rule| (rule.standard, rule.ahead));
            assert_eq!(found, expected, "{name}");
        }
    }
}
