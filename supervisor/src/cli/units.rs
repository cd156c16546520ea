//! Durations, sizes and instants as people write them.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// Least memory of a simulated machine, in bytes: less, and no program of today starts.
pub const MEMORY_MIN: u64 = 16 << 20;
/// Most memory of a simulated machine, in bytes: what the layout leaves for mappings.
pub const MEMORY_MAX: u64 = 16 << 40;

/// Units of a size; the powers of ten are left out on purpose: memory comes in powers of two.
const SIZES: [(&str, u64); 9] = [
    ("", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tib", 1 << 40),
];

/// A seed, decimal or hexadecimal with `0x`.
pub fn seed(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("a seed is a number from 0 to {}", u64::MAX))
}

/// A duration with a unit, as in `10m` or `1h 30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = match text.parse::<f64>() {
        Ok(_) => format!("a unit is missing, as in {text}s"),
        Err(_) => String::from("write a number with ns, us, ms, s, m, h or d, as in 10m or 1h30m"),
    };
    let duration = match decimal_seconds(text) {
        Some(duration) => duration,
        None => humantime::parse_duration(text).map_err(|_| hint)?,
    };
    if duration.is_zero() {
        return Err("nothing can be done in no time".into());
    }
    u64::try_from(duration.as_nanos()).map_err(|_| String::from("at most 584 years can pass"))?;
    Ok(duration)
}

/// A point in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After so much simulated time.
    Time(Duration),
    /// After the event of this number.
    Event(u64),
}

/// A duration with a unit, or the number of an event.
pub fn moment(text: &str) -> Result<Moment, String> {
    match text.parse() {
        Ok(0) => Err("events are numbered from 1".into()),
        Ok(number) => Ok(Moment::Event(number)),
        Err(_) => duration(text).map(Moment::Time),
    }
}

/// Seconds with a fraction, as in `1.5s`.
fn decimal_seconds(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s').filter(|number| number.contains('.'))?;
    Duration::try_from_secs_f64(number.parse().ok()?).ok()
}

/// A size of memory, as in `512MiB` or `2G`.
pub fn memory(text: &str) -> Result<u64, String> {
    match size(text)? {
        size if (MEMORY_MIN..=MEMORY_MAX).contains(&size) => Ok(size),
        _ => Err("a machine has from 16MiB to 16TiB of memory".into()),
    }
}

/// A number of bytes, as in `512MiB` or `2G`.
pub fn size(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let hint = || {
        // "GB" and its like mean a power of ten to some and a power of two to others.
        let nearest = unit.strip_suffix('b').filter(|u| SIZES.iter().any(|(name, _)| name == u));
        match nearest {
            Some(letter) if !digits.is_empty() && !letter.is_empty() => {
                format!("did you mean {digits}{}iB?", letter.to_ascii_uppercase())
            }
            _ => String::from("write a number with KiB, MiB or GiB, as in 1GiB"),
        }
    };
    let factor =
        SIZES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor).ok_or_else(hint)?;
    let number: u64 = digits.parse().map_err(|_| hint())?;
    Ok(number.saturating_mul(*factor))
}

/// An instant, in nanoseconds since 1970.
pub fn instant(text: &str) -> Result<u64, String> {
    let hint = || {
        String::from(
            "write a date as in 2030-01-01T00:00:00Z, or seconds since 1970 as in @1700000000",
        )
    };
    let since_1970 = match text.strip_prefix('@') {
        Some(seconds) => {
            let seconds: f64 = seconds.parse().map_err(|_| hint())?;
            Duration::try_from_secs_f64(seconds).map_err(|_| hint())?
        }
        None => {
            let time = humantime::parse_rfc3339_weak(text).map_err(|_| hint())?;
            time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| hint())?
        }
    };
    u64::try_from(since_1970.as_nanos()).map_err(|_| String::from("dates go up to the year 2554"))
}

/// A place in a file, as in `FILE+0xOFFSET`.
pub fn place(text: &str) -> Result<(PathBuf, u64), String> {
    let wrong = || "write a file and an offset in it, as in ./service+0x12f3".to_owned();
    let (file, offset) = text.rsplit_once("+0x").ok_or_else(wrong)?;
    let offset = u64::from_str_radix(offset, 16).map_err(|_| wrong())?;
    if file.is_empty() { Err(wrong()) } else { Ok((file.into(), offset)) }
}

/// A variable, as in `KEY=VALUE`.
pub fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        Some(_) => Err("the name is missing".into()),
        None => Err(format!("write {text}=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        let cases = [
            ("10m", Ok(600_000)),
            ("1h30m", Ok(5_400_000)),
            ("250ms", Ok(250)),
            ("1.5s", Ok(1500)),
            ("10", Err("a unit is missing, as in 10s")),
            ("0s", Err("nothing can be done in no time")),
            ("10 parsecs", Err("write a number with ns, us, ms, s, m, h or d, as in 10m or 1h30m")),
        ];
        for (text, expected) in cases {
            let expected = expected.map(Duration::from_millis).map_err(String::from);
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_powers_of_two() {
        let cases = [
            ("1GiB", Ok(1 << 30)),
            ("512m", Ok(512 << 20)),
            ("33554432", Ok(32 << 20)),
            ("1GB", Err("did you mean 1GiB?")),
            ("1", Err("a machine has from 16MiB to 16TiB of memory")),
            ("99999999999T", Err("a machine has from 16MiB to 16TiB of memory")),
            ("much", Err("write a number with KiB, MiB or GiB, as in 1GiB")),
        ];
        for (text, expected) in cases {
            assert_eq!(memory(text), expected.map_err(String::from), "{text}");
        }
    }

    #[test]
    fn instants_are_dates_or_seconds() {
        assert_eq!(instant("2030-01-01T00:00:00Z"), Ok(1_893_456_000_000_000_000));
        assert_eq!(instant("@1700000000"), Ok(1_700_000_000_000_000_000));
        assert_eq!(instant("@0.5"), Ok(500_000_000));
        for text in ["yesterday", "@-1", "2030-13-01T00:00:00Z", "1960-01-01T00:00:00Z"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_have_a_name() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(variable("A="), Ok(("A".into(), String::new())));
        assert_eq!(variable("A"), Err("write A=VALUE".into()));
        assert_eq!(variable("=b"), Err("the name is missing".into()));
    }
}
