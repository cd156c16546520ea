//! The page of results: a table of suites, and why the rest is lost.

use std::{
    collections::BTreeMap,
    fmt::{Display, Formatter, Result},
};

const HEAD: &str = "\
# Suites that others wrote

Written by `SUITES_TABLE=docs/reference/suites.md cargo bench -p simrun --bench suites`; do not edit. Each suite runs
natively and simulated (`--seed 1`) on one machine. Tests are counted that pass natively, and those of them that pass
simulated.

| suite | pass natively | pass simulated |
|---|---|---|
";

/// How a suite did.
#[derive(Debug, Default)]
pub struct Row {
    native: usize,
    simulated: usize,
    /// How many tests are lost, by reason.
    lost: BTreeMap<String, usize>,
}

impl Row {
    /// A suite of which so many tests pass natively, and so many of them simulated.
    pub fn new(native: usize, simulated: usize) -> Self {
        Self { native, simulated, lost: BTreeMap::new() }
    }

    /// Counts a test that does not pass simulated.
    pub fn count_lost(&mut self, reason: &str) {
        *self.lost.entry(reason.to_owned()).or_default() += 1;
    }
}

/// The page, by suite.
#[derive(Debug, Default)]
pub struct Page(BTreeMap<String, Row>);

impl Page {
    /// The page that an earlier run wrote.
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some((suite, row)) = read_row(line) {
                page.0.insert(suite, row);
            } else if let Some((suite, reason, count)) = read_reason(line)
                && let Some(row) = page.0.get_mut(suite)
            {
                row.lost.insert(reason.to_owned(), count);
            }
        }
        page
    }

    /// Puts the rows of suites that ran in the place of older ones.
    pub fn update(&mut self, rows: BTreeMap<String, Row>) {
        self.0.extend(rows);
    }
}

fn read_row(line: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, suite, native, simulated, _] = cells[..] else { return None };
    Some((suite.to_owned(), Row::new(native.parse().ok()?, simulated.parse().ok()?)))
}

fn read_reason(line: &str) -> Option<(&str, &str, usize)> {
    let (what, reason) = line.strip_prefix("- ")?.split_once(": ")?;
    let (suite, count) = what.split_once(", ")?;
    Some((suite, reason, count.parse().ok()?))
}

impl Display for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(HEAD)?;
        for (suite, row) in &self.0 {
            writeln!(f, "| {suite} | {} | {} |", row.native, row.simulated)?;
        }
        f.write_str("\nTests that are lost, and why:\n\n")?;
        for (suite, row) in &self.0 {
            for (reason, count) in &row.lost {
                writeln!(f, "- {suite}, {count}: {reason}")?;
            }
        }
        Ok(())
    }
}
