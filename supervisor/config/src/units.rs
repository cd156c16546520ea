//! Durations, shares and rates as people write them: a number and its unit.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use simrun_abi::faults::Share as Parts;

use super::spelling;

/// Most digits of a fraction; there is nothing smaller than a nanosecond.
const FRACTION_DIGITS_MAX: usize = 9;

/// What has a unit.
pub trait Unit: Copy + fmt::Debug + fmt::Display + PartialOrd {
    /// What it is called.
    const WHAT: &'static str;
    /// One, as it is written.
    const EXAMPLE: &'static str;
    /// Names of units, and what one of each is, as a fraction. The first is the one that is suggested.
    const UNITS: &'static [(&'static str, u128, u128)];
    /// The most there is.
    const MAX: u64;
    /// Whether several may follow each other, as in `1h30m`.
    const SEVERAL: bool = false;

    /// The one that is so much.
    fn from_number(number: u64) -> Self;
    /// How much it is.
    fn number(self) -> u64;

    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    fn parse(text: &str) -> Result<Self, String> {
        read(text, Self::WHAT, Self::EXAMPLE, Self::UNITS, Self::SEVERAL, |number, unit| {
            scale(number, unit).filter(|&number| number <= Self::MAX)
        })
        .map(Self::from_number)
    }
}

/// A decimal number: all its digits, and ten to the power of how many stand behind the point.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    scale: u128,
}

fn scale(number: Decimal, (_, numerator, denominator): (&str, u128, u128)) -> Option<u64> {
    let product = number.digits.checked_mul(numerator)?;
    let divisor = denominator * number.scale;
    u64::try_from((product + divisor / 2) / divisor).ok()
}

/// Takes a number off the front of a text.
fn take_number(text: &str) -> Option<(Decimal, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let dangling = whole.is_empty() || number.ends_with('.') || fraction.contains('.');
    if dangling || fraction.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((Decimal { digits, scale: 10u128.pow(fraction.len() as u32) }, rest))
}

/// Reads numbers with units and adds up what each is.
fn read(
    text: &str,
    what: &str,
    example: &str,
    units: &[(&'static str, u128, u128)],
    several: bool,
    each: impl Fn(Decimal, (&'static str, u128, u128)) -> Option<u64>,
) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no {what}, as in {example}");
    let mut total: u64 = 0;
    let mut rest = text;
    loop {
        let (number, after) = take_number(rest).ok_or_else(wrong)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let Some(unit) = units.iter().find(|(known, ..)| *known == name) else {
            if name.is_empty() {
                return Err(format!("`{text}` has no unit: did you mean `{text}{}`?", units[0].0));
            }
            let names = || units.iter().map(|(known, ..)| *known);
            let begun = names().find(|known| known.starts_with(name));
            let near = begun.or_else(|| spelling::nearest(name, names()));
            return Err(match near {
                Some(near) => {
                    format!("`{name}` is no unit of a {what}; did you mean `{near}`?")
                }
                None => wrong(),
            });
        };
        let too_much = || format!("`{text}` is more than there can be");
        let part = each(number, *unit).ok_or_else(too_much)?;
        total = total.checked_add(part).ok_or_else(too_much)?;
        if after.is_empty() {
            return Ok(total);
        }
        if !several {
            return Err(wrong());
        }
        rest = after;
    }
}

/// What all units have in common.
macro_rules! unit {
    ($name:ident, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": format!("A {}, as in `{}`", Self::WHAT, Self::EXAMPLE),
                    "examples": [Self::EXAMPLE],
                    "pattern": $pattern,
                })
            }
        }
    };
}

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Time(u64);

impl Unit for Time {
    const WHAT: &'static str = "duration";
    const EXAMPLE: &'static str = "50ms";
    const UNITS: &'static [(&'static str, u128, u128)] = &[
        ("ms", 1_000_000, 1),
        ("ns", 1, 1),
        ("us", 1000, 1),
        ("µs", 1000, 1),
        ("s", 1_000_000_000, 1),
        ("m", 60_000_000_000, 1),
        ("h", 3_600_000_000_000, 1),
        ("d", 86_400_000_000_000, 1),
    ];
    const MAX: u64 = u64::MAX;
    const SEVERAL: bool = true;

    fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = humantime::format_duration(Duration::from_nanos(self.0)).to_string();
        f.write_str(&words.replace(' ', ""))
    }
}

unit!(Time, r"^([0-9]+(\.[0-9]{1,9})?(ns|us|µs|ms|s|m|h|d))+$");

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Share(u64);

impl Share {
    /// As the kernel takes it.
    pub fn parts(self) -> Parts {
        Parts::from_parts(self.0)
    }
}

impl Unit for Share {
    const WHAT: &'static str = "share";
    const EXAMPLE: &'static str = "10%";
    const UNITS: &'static [(&'static str, u128, u128)] = &[
        ("%", Parts::WHOLE.parts() as u128, 100),
        ("ppm", Parts::WHOLE.parts() as u128, 1_000_000),
    ];
    const MAX: u64 = Parts::WHOLE.parts();

    fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 as f64 * 100.0 / Parts::WHOLE.parts() as f64)
    }
}

unit!(Share, r"^[0-9]+(\.[0-9]{1,9})?(%|ppm)$");

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Size(u64);

impl Unit for Size {
    const WHAT: &'static str = "size";
    const EXAMPLE: &'static str = "64KiB";
    const UNITS: &'static [(&'static str, u128, u128)] = &[
        ("B", 1, 1),
        ("KiB", 1 << 10, 1),
        ("MiB", 1 << 20, 1),
        ("GiB", 1 << 30, 1),
        ("kB", 1000, 1),
        ("MB", 1_000_000, 1),
        ("GB", 1_000_000_000, 1),
    ];
    const MAX: u64 = u64::MAX;

    fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.0)
    }
}

unit!(Size, r"^[0-9]+(\.[0-9]{1,9})?([KMG]i|[kMG])?B$");

/// Bytes in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Bandwidth(u64);

impl Unit for Bandwidth {
    const WHAT: &'static str = "rate of bytes";
    const EXAMPLE: &'static str = "1MiB/s";
    const UNITS: &'static [(&'static str, u128, u128)] = &[
        ("MiB/s", 1 << 20, 1),
        ("B/s", 1, 1),
        ("KiB/s", 1 << 10, 1),
        ("GiB/s", 1 << 30, 1),
        ("kB/s", 1000, 1),
        ("MB/s", 1_000_000, 1),
        ("GB/s", 1_000_000_000, 1),
        ("kbit/s", 1000, 8),
        ("Mbit/s", 1_000_000, 8),
        ("Gbit/s", 1_000_000_000, 8),
    ];
    const MAX: u64 = u64::MAX;

    fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B/s", self.0)
    }
}

unit!(Bandwidth, r"^[0-9]+(\.[0-9]{1,9})?([KMG]iB|[kMG]?B|[kMG]bit)/s$");

/// How often in a time, kept as the nanoseconds from one to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Frequency(u64);

impl Unit for Frequency {
    const WHAT: &'static str = "rate";
    const EXAMPLE: &'static str = "5/s";
    const UNITS: &'static [(&'static str, u128, u128)] = &[
        ("/s", 1_000_000_000, 1),
        ("/m", 60_000_000_000, 1),
        ("/h", 3_600_000_000_000, 1),
        ("/d", 86_400_000_000_000, 1),
    ];
    const MAX: u64 = u64::MAX;

    fn from_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        read(text, Self::WHAT, Self::EXAMPLE, Self::UNITS, false, |number, (_, period, _)| {
            let product = period.checked_mul(number.scale)?;
            u64::try_from(product.checked_div(number.digits)?).ok()
        })
        .map(Self)
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "once in {}", Time(self.0))
    }
}

unit!(Frequency, r"^[0-9]+(\.[0-9]{1,9})?/(s|m|h|d)$");

#[cfg(test)]
mod tests {
    use simrun_kernel::random::{Purpose, Random};

    use super::*;

    #[test]
    fn units_are_what_they_say() {
        let time = |text| Time::parse(text).map(Time::number);
        let cases = [
            ("50ms", 50_000_000),
            ("1.5s", 1_500_000_000),
            ("1h30m", 5_400_000_000_000),
            ("0s", 0),
            ("0.000000001s", 1),
            ("2d", 172_800_000_000_000),
            ("7µs", 7000),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text), Ok(expected), "{text}");
        }
        assert_eq!(Share::parse("25%").map(Share::number), Ok(1 << 30));
        assert_eq!(Share::parse("100%").map(Share::parts), Ok(Parts::WHOLE));
        assert_eq!(Size::parse("1.5KiB").map(Size::number), Ok(1536));
        assert_eq!(Bandwidth::parse("1.5KiB/s").map(Bandwidth::number), Ok(1536));
        assert_eq!(Bandwidth::parse("10Mbit/s").map(Bandwidth::number), Ok(1_250_000));
        assert_eq!(Frequency::parse("5/s").map(Frequency::number), Ok(200_000_000));
        assert_eq!(Frequency::parse("0.5/m").map(Frequency::number), Ok(120_000_000_000));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_right() {
        type Parse = fn(&str) -> Option<String>;
        let time: Parse = |text| Time::parse(text).err();
        let share: Parse = |text| Share::parse(text).err();
        let bandwidth: Parse = |text| Bandwidth::parse(text).err();
        let frequency: Parse = |text| Frequency::parse(text).err();
        let cases: [(Parse, &str, &str); 13] = [
            (time, "50", "`50` has no unit: did you mean `50ms`?"),
            (time, "50msc", "`msc` is no unit of a duration; did you mean `ms`?"),
            (time, "soon", "`soon` is no duration, as in 50ms"),
            (time, "", "`` is no duration, as in 50ms"),
            (time, "1.s", "`1.s` is no duration, as in 50ms"),
            (time, "-1s", "`-1s` is no duration, as in 50ms"),
            (time, "999999999d", "`999999999d` is more than there can be"),
            (share, "0.1", "`0.1` has no unit: did you mean `0.1%`?"),
            (share, "101%", "`101%` is more than there can be"),
            (share, "1%2%", "`1%2%` is no share, as in 10%"),
            (bandwidth, "1MB", "`MB` is no unit of a rate of bytes; did you mean `MB/s`?"),
            (bandwidth, "1mib/s", "`mib/s` is no unit of a rate of bytes; did you mean `MiB/s`?"),
            (frequency, "0/s", "`0/s` is more than there can be"),
        ];
        for (parse, text, words) in cases {
            assert_eq!(parse(text).as_deref(), Some(words), "{text}");
        }
    }

    /// Draws texts of a unit, whole and with fractions, and compares with arithmetic on the number itself.
    fn reads_what_is_written<U: Unit>(seed: u64) {
        let mut random = Random::new(seed).derive(Purpose::Fault, 0);
        for _ in 0..2000 {
            let (name, numerator, denominator) =
                U::UNITS[random.below(U::UNITS.len() as u64) as usize];
            let room = (u128::from(U::MAX) * denominator / numerator).min(u128::from(u64::MAX));
            let shift = random.below(60);
            let whole = random.below(room as u64 >> shift);
            let expected = u128::from(whole) * numerator / denominator;
            let read = |text: &str| U::parse(text).map(|unit| u128::from(unit.number()));
            let close = |found: u128, expected: u128| found.abs_diff(expected) <= 1;
            let found = read(&format!("{whole}{name}")).expect("it has a unit");
            assert!(close(found, expected), "{whole}{name}");
            let thousandths = random.below(1000);
            let expected = (u128::from(whole) * 1000 + u128::from(thousandths)) * numerator
                / (1000 * denominator);
            let text = format!("{whole}.{thousandths:03}{name}");
            match read(&text) {
                Ok(found) => assert!(close(found, expected), "{text}"),
                Err(_) => assert!(expected + 1 >= u128::from(U::MAX), "{text}"),
            }
        }
    }

    #[test]
    fn any_number_is_read_as_it_is_written() {
        reads_what_is_written::<Time>(1);
        reads_what_is_written::<Share>(2);
        reads_what_is_written::<Bandwidth>(3);
        reads_what_is_written::<Size>(5);
    }

    #[test]
    fn a_duration_is_read_as_it_is_shown() {
        let mut random = Random::new(4).derive(Purpose::Fault, 0);
        for _ in 0..2000 {
            // Years and months are shown, and not read.
            let shift = random.below(50);
            let time = Time(random.below(2_000_000_000_000_000) >> shift);
            assert_eq!(
                Time::parse(&time.to_string().replace("day", "d").replace("ds", "d")),
                Ok(time)
            );
        }
    }
}
