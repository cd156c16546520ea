//! What is said while runs are made: a bar on a terminal, else a line now and then.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{
    say,
    summary::Summary,
    table::{compression, short},
};

/// How often a line is said where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often the bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// See the module.
pub struct Progress {
    start: Instant,
    shown: Instant,
    planned: Option<u64>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins, with so many runs to make.
    pub fn new(planned: Option<u64>) -> Self {
        let start = Instant::now();
        let bar = io::stderr().is_terminal().then(|| bar(planned));
        Self { start, shown: start, planned, bar }
    }

    /// A line that stays.
    pub fn say(&self, words: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(words)),
            None => say(words),
        }
    }

    /// Shows how far it is, if it is time to.
    pub fn show(&mut self, summary: &Summary) {
        let every = if self.bar.is_some() { DRAW_EVERY } else { LINE_EVERY };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let words = self.words(summary);
        match &self.bar {
            Some(bar) => {
                bar.set_position(summary.runs());
                bar.set_message(words);
            }
            None => {
                let of = self.planned.map_or(String::new(), |planned| format!(" of {planned}"));
                say(&format!("{}{of} runs, {words}", summary.runs()));
            }
        }
    }

    fn words(&self, summary: &Summary) -> String {
        let elapsed = self.start.elapsed();
        let rate = summary.runs() as f64 / elapsed.as_secs_f64().max(1e-3);
        let simulated = Duration::from_nanos(summary.simulated_ns as u64);
        let left = self.planned.filter(|_| rate > 0.0).map(|planned| {
            let left = planned.saturating_sub(summary.runs()) as f64 / rate;
            format!(", {} left", short(Duration::from_secs_f64(left)))
        });
        format!(
            "{rate:.1}/s, {} failed, {} simulated, {}{}",
            summary.failed(),
            short(simulated),
            compression(simulated, elapsed),
            left.unwrap_or_default()
        )
    }

    /// Nothing more is shown.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(planned: Option<u64>) -> ProgressBar {
    let (bar, template) = match planned {
        Some(planned) => (ProgressBar::new(planned), "simrun: {bar:20} {pos}/{len} {msg}"),
        None => (ProgressBar::no_length(), "simrun: {pos} runs, {msg}"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("a template of ours"))
}
