//! Columns of text for people, and times as they read them.

use std::{
    io::{self, Write},
    time::Duration,
};

/// Rows of cells, the first one of names.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// Columns whose cells are numbers, and stand at the right.
    numbers: Vec<usize>,
}

impl Table {
    /// With columns of these names.
    pub fn new(names: &[&str]) -> Self {
        Self {
            rows: vec![names.iter().map(|name| (*name).to_owned()).collect()],
            numbers: Vec::new(),
        }
    }

    /// These columns are numbers.
    pub fn numbers(mut self, columns: &[usize]) -> Self {
        self.numbers = columns.to_vec();
        self
    }

    /// One more row.
    pub fn push(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text; the last column is not padded.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let pad = widths[column] - cell.chars().count();
                if self.numbers.contains(&column) {
                    line.extend(std::iter::repeat_n(' ', pad));
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.extend(std::iter::repeat_n(' ', pad));
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Writes data to standard output. Whoever reads may have seen enough.
///
/// # Errors
/// When it cannot be written for another reason.
pub fn print(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// How long ago, in the largest unit.
pub fn ago(since: Duration) -> String {
    let seconds = since.as_secs();
    let units = [(86400, "d"), (3600, "h"), (60, "m")];
    match units.into_iter().find(|(unit, _)| seconds >= *unit) {
        Some((unit, name)) => format!("{}{name} ago", seconds / unit),
        None => format!("{seconds}s ago"),
    }
}

/// A duration to three digits or so, as in `1.50s`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 0.001 => format!("{:.0}us", s * 1e6),
        s if s < 1.0 => format!("{:.1}ms", s * 1e3),
        s if s < 120.0 => format!("{s:.2}s"),
        s if s < 7200.0 => format!("{:.1}m", s / 60.0),
        s if s < 172_800.0 => format!("{:.1}h", s / 3600.0),
        s => format!("{:.1}d", s / 86_400.0),
    }
}

/// How much faster than real time it went.
pub fn compression(simulated: Duration, real: Duration) -> String {
    let factor = simulated.as_secs_f64() / real.as_secs_f64().max(1e-9);
    match factor {
        f if f < 10.0 => format!("{f:.1} times real time"),
        f => format!("{f:.0} times real time"),
    }
}

/// A number of bytes in its largest unit.
pub fn bytes(count: u64) -> String {
    let units = [(1u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", count as f64 / unit as f64),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["a", "number", "rest"]).numbers(&[1]);
        table.push(vec!["long".into(), "5".into(), "x".into()]);
        table.push(vec!["\u{e9}".into(), "12345678".into(), String::new()]);
        assert_eq!(table.text(), "a       number  rest\nlong         5  x\n\u{e9}     12345678\n");
    }

    #[test]
    fn times_and_sizes_have_the_unit_that_fits() {
        let ms = Duration::from_millis;
        let shown =
            [ms(0), ms(5), ms(1500), ms(150_000), ms(7_200_000), ms(864_000_000)].map(short);
        assert_eq!(shown, ["0us", "5.0ms", "1.50s", "2.5m", "2.0h", "10.0d"]);
        let shown = [ms(5000), ms(65_000), ms(3_700_000), ms(90_000_000)].map(ago);
        assert_eq!(shown, ["5s ago", "1m ago", "1h ago", "1d ago"]);
        assert_eq!([5, 2048, 3 << 20].map(bytes), ["5 B", "2.0 KiB", "3.0 MiB"]);
    }
}
