//! Runs the commands of a folder as their names say. It runs inside of a simulation, as the program of a workload.

use std::{
    env,
    io::Write,
    net::Ipv4Addr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{WaitStatus, wait},
    },
    unistd::Pid,
};

use super::Failure;
use crate::{
    cli::ComposeArguments,
    report::say,
    sim::{
        Draw,
        composed::{Kind, QUIET, commands},
        meeting,
    },
};

/// Most drivers and other commands that are started one after the other.
const STEPS_MAX: u64 = 12;
/// Most commands that run at one time.
const TOGETHER_MAX: usize = 4;
/// Most simulated time between two steps.
const PAUSE_MAX_MS: u64 = 1000;

/// Runs them; the exit status of the first that fails.
///
/// # Errors
/// When the folder has none, or one cannot be started.
pub fn compose(arguments: &ComposeArguments) -> Result<u8, Failure> {
    let seed = env::var("SIMRUN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut composer = Composer {
        draw: Draw::Seed(seed),
        name: env::var("SIMRUN_NODE").unwrap_or_default(),
        draws: 0,
        commands: commands(&arguments.folder).map_err(Failure::Unknown)?,
        others: arguments.others.clone(),
        running: Vec::new(),
    };
    let ended = composer.run();
    composer.kill_all();
    match ended {
        Ok(()) => Ok(0),
        Err(Stop::Failed(status)) => Ok(status),
        Err(Stop::NotStarted(failure)) => Err(failure),
    }
}

/// Why no more commands are run.
enum Stop {
    /// One failed, with this status.
    Failed(u8),
    /// One cannot be started.
    NotStarted(Failure),
}

struct Composer {
    draw: Draw,
    /// The workload's name: another one draws its own.
    name: String,
    draws: u64,
    commands: Vec<(Kind, PathBuf)>,
    /// Machines that run folders, too.
    others: Vec<Ipv4Addr>,
    running: Vec<(Pid, Kind, String)>,
}

impl Composer {
    fn run(&mut self) -> Result<(), Stop> {
        if let Some(first) = self.pick(Kind::First) {
            self.run_to_end(&first, Kind::First)?;
        }
        self.meet(meeting::BEGINNING)?;
        let mixed = self.has(Kind::Parallel) || self.has(Kind::Serial);
        if self.has(Kind::Singleton) && (!mixed || self.number(0, 1) == 0) {
            self.alone()?;
        } else {
            self.together()?;
        }
        self.end()
    }

    /// Waits until all others have come here, too.
    fn meet(&self, port: u16) -> Result<(), Stop> {
        meeting::meet(port, &self.others).map_err(|error| {
            let words = format!("port {port} cannot be listened at: {error}");
            Stop::NotStarted(Failure::Unknown(words))
        })
    }

    /// One driver, and what may run at any time.
    fn alone(&mut self) -> Result<(), Stop> {
        if let Some(anytime) = self.pick(Kind::Anytime) {
            self.start(&anytime, Kind::Anytime)?;
        }
        match self.pick(Kind::Singleton) {
            Some(driver) => self.run_to_end(&driver, Kind::Singleton),
            None => Ok(()),
        }
    }

    /// Drivers beside and after each other.
    fn together(&mut self) -> Result<(), Stop> {
        let kinds = [Kind::Parallel, Kind::Serial, Kind::Anytime];
        let kinds: Vec<Kind> = kinds.into_iter().filter(|&kind| self.has(kind)).collect();
        let steps = self.number(1, STEPS_MAX);
        for step in 0..steps {
            // The first one drives.
            let last = kinds.len() - usize::from(step == 0 && kinds.last() == Some(&Kind::Anytime));
            let kind = kinds[self.number(0, last as u64 - 1) as usize];
            let Some(command) = self.pick(kind) else { continue };
            if kind == Kind::Serial {
                self.wait_for_drivers()?;
                self.run_to_end(&command, kind)?;
            } else {
                while self.running.len() >= TOGETHER_MAX {
                    self.wait_for_one()?;
                }
                self.start(&command, kind)?;
            }
            thread::sleep(Duration::from_millis(self.number(0, PAUSE_MAX_MS)));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let (eventually, last) = (self.has(Kind::Eventually), self.has(Kind::Finally));
        let kind = if eventually && (!last || self.number(0, 1) == 0) {
            Kind::Eventually
        } else {
            self.wait_for_drivers()?;
            Kind::Finally
        };
        self.kill_all();
        let command = self.pick(kind);
        if command.is_none() && self.others.is_empty() {
            return Ok(());
        }
        // The simulated kernel has read it when it picks who runs next.
        println!("{QUIET}");
        let _ = std::io::stdout().flush();
        thread::sleep(Duration::from_millis(1));
        self.meet(meeting::END)?;
        match command {
            Some(command) => self.run_to_end(&command, kind),
            None => Ok(()),
        }
    }

    fn has(&self, kind: Kind) -> bool {
        self.commands.iter().any(|(other, _)| *other == kind)
    }

    fn number(&mut self, least: u64, most: u64) -> u64 {
        self.draws += 1;
        self.draw.between(&format!("composer {} {}", self.name, self.draws), least, most)
    }

    fn pick(&mut self, kind: Kind) -> Option<PathBuf> {
        let of_kind = self.commands.iter().filter(|(other, _)| *other == kind);
        let paths: Vec<PathBuf> = of_kind.map(|(_, path)| path.clone()).collect();
        let last = paths.len().checked_sub(1)?;
        Some(paths[self.number(0, last as u64) as usize].clone())
    }

    fn start(&mut self, path: &Path, kind: Kind) -> Result<Pid, Stop> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let child = Command::new(path).process_group(0).spawn().map_err(|error| {
            Stop::NotStarted(Failure::Unknown(format!("{}: {error}", path.display())))
        })?;
        let pid = Pid::from_raw(child.id() as i32);
        self.running.push((pid, kind, name));
        Ok(pid)
    }

    fn run_to_end(&mut self, path: &Path, kind: Kind) -> Result<(), Stop> {
        let pid = self.start(path, kind)?;
        while self.running.iter().any(|(other, ..)| *other == pid) {
            self.wait_for_one()?;
        }
        Ok(())
    }

    fn wait_for_drivers(&mut self) -> Result<(), Stop> {
        while self.running.iter().any(|(_, kind, _)| *kind != Kind::Anytime) {
            self.wait_for_one()?;
        }
        Ok(())
    }

    fn wait_for_one(&mut self) -> Result<(), Stop> {
        let (pid, status) = match wait() {
            Ok(WaitStatus::Exited(pid, status)) => (pid, status as u8),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as u8),
            Ok(_) => return Ok(()),
            Err(_) => {
                self.running.clear();
                return Ok(());
            }
        };
        let Some(at) = self.running.iter().position(|(other, ..)| *other == pid) else {
            return Ok(());
        };
        let (_, _, name) = self.running.remove(at);
        if status == 0 {
            return Ok(());
        }
        say(&format!("{name} ends with status {status}"));
        Err(Stop::Failed(status))
    }

    fn kill_all(&mut self) {
        for (pid, ..) in &self.running {
            // One that has just ended needs no signal.
            let _ = killpg(*pid, Signal::SIGKILL);
        }
        while !self.running.is_empty() {
            match wait() {
                Ok(status) => self.running.retain(|(pid, ..)| status.pid() != Some(*pid)),
                Err(_) => self.running.clear(),
            }
        }
    }
}
