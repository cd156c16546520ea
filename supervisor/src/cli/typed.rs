//! A world as one would type it: the options that are not as they are by default.

use std::{
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use clap::ValueEnum;

use super::{Arguments, World};

/// A value of a closed set as one types it.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

impl World {
    /// The options, without the seed and the command.
    pub fn options(&self) -> Vec<String> {
        // What the parser makes of no options at all.
        let Ok(Arguments { run, .. }) = Arguments::read(["simrun", "--", "true"]) else {
            return Vec::new();
        };
        let default = run.once.world;
        let mut options = Vec::new();
        let mut add = |option: &str, value: String| options.extend([option.to_owned(), value]);
        let path = |path: &Path| path.display().to_string();
        if let Some(timeout) = self.timeout {
            add("--timeout", duration(timeout));
        }
        if let Some(timeout) = self.wall_timeout {
            add("--wall-timeout", duration(timeout));
        }
        for file in &self.mocks {
            add("--mocks", path(file));
        }
        if self.mem != default.mem {
            add("--mem", self.mem.to_string());
        }
        if self.disk != default.disk {
            add("--disk", self.disk.to_string());
        }
        if self.cpus != default.cpus {
            add("--cpus", self.cpus.to_string());
        }
        for (key, value) in &self.env {
            add("--env", format!("{key}={value}"));
        }
        if let Some(directory) = &self.cwd {
            add("--cwd", path(directory));
        }
        if name(&self.strategy) != name(&default.strategy) {
            add("--strategy", name(&self.strategy));
        }
        if let Some(schedule) = &self.schedule {
            add("--schedule", path(schedule));
        }
        for (file, offset) in &self.yield_at {
            add("--yield-at", format!("{}+{offset:#x}", path(file)));
        }
        if self.start_time != default.start_time {
            let time = UNIX_EPOCH + Duration::from_nanos(self.start_time);
            add("--start-time", humantime::format_rfc3339(time).to_string());
        }
        for file in &self.write_through {
            add("--write-through", path(file));
        }
        if name(&self.file_times) != name(&default.file_times) {
            add("--file-times", name(&self.file_times));
        }
        for (is_set, option) in [
            (self.no_preload, "--no-preload"),
            (self.no_mocks, "--no-mocks"),
            (self.no_patching, "--no-patching"),
        ] {
            if is_set {
                options.push(option.to_owned());
            }
        }
        options
    }
}

fn duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_were_written() {
        let words = "--timeout 1h30m --wall-timeout 250ms --mocks a.yaml --mem 536870912 --cpus 3 --env A=b --cwd /tmp \
                     --strategy round-robin --yield-at ./a+0x1f --start-time 2023-11-14T22:13:20.500000000Z --no-preload";
        let words: Vec<&str> = words.split(' ').collect();
        let parse = |words: &[&str]| {
            let all = ["simrun"].iter().chain(words).chain(&["--", "true"]);
            Arguments::read(all.copied()).expect("options").run.once.world
        };
        assert_eq!(parse(&words).options(), words);
        assert_eq!(parse(&["--seed", "3"]).options(), [] as [&str; 0]);
    }
}
