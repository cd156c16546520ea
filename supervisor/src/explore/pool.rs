//! The processes that make runs.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use nix::{
    sys::signal::{SigSet, Signal, kill},
    unistd::Pid,
};

use super::{jobs::Job, worker::Setup};
use crate::store::Id;

/// The verb by which simrun is a worker.
pub const VERB: &str = "explore-worker";
/// Signals that end an exploration, and what is left of it is told.
const ENDING: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// What happened.
#[derive(Debug)]
pub enum Happened {
    /// A worker has ended a run.
    Ran {
        /// Its number.
        worker: usize,
        /// The name of the run.
        run: Id,
    },
    /// A worker is gone.
    Gone {
        /// Its number.
        worker: usize,
    },
    /// Somebody wants simrun to end.
    Signal(Signal),
    /// Nothing.
    Nothing,
}

/// See the module.
pub struct Pool {
    workers: Vec<Option<Worker>>,
    setup: String,
    log: File,
    sender: Sender<Happened>,
    receiver: Receiver<Happened>,
}

struct Worker {
    child: Child,
    input: ChildStdin,
    job: Option<Job>,
}

impl Pool {
    /// So many workers; what they say of themselves goes to a file.
    ///
    /// # Errors
    /// When the host makes no process.
    pub fn new(count: usize, setup: &Setup, log: &Path) -> io::Result<Self> {
        // Before any thread is made, so that all hold them back.
        let ending: SigSet = ENDING.into_iter().collect();
        ending.thread_block()?;
        let (sender, receiver) = unbounded();
        let told = sender.clone();
        thread::spawn(move || {
            while let Ok(signal) = ending.wait() {
                if told.send(Happened::Signal(signal)).is_err() {
                    return;
                }
            }
        });
        let setup = serde_json::to_string(setup)? + "\n";
        let log = File::options().create(true).append(true).open(log)?;
        let mut pool = Self { workers: Vec::new(), setup, log, sender, receiver };
        for number in 0..count {
            let worker = pool.spawn(number)?;
            pool.workers.push(Some(worker));
        }
        Ok(pool)
    }

    fn spawn(&self, number: usize) -> io::Result<Worker> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(self.log.try_clone()?);
        let parent = std::process::id();
        // SAFETY: system calls only. The standard library has no signal held back in a child.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // A terminal's Ctrl-C reaches the pool only, which ends its runs in order.
                libc::setpgid(0, 0);
                if libc::getppid() as u32 == parent {
                    Ok(())
                } else {
                    Err(io::ErrorKind::NotFound.into())
                }
            });
        }
        let mut child = command.spawn()?;
        let mut input = child.stdin.take().expect("a pipe");
        let output = child.stdout.take().expect("a pipe");
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(run) = line.parse()
                    && sender.send(Happened::Ran { worker: number, run }).is_err()
                {
                    return;
                }
            }
            let _ = sender.send(Happened::Gone { worker: number });
        });
        input.write_all(self.setup.as_bytes())?;
        Ok(Worker { child, input, job: None })
    }

    /// Numbers of the workers with nothing to do.
    pub fn idle(&self) -> Vec<usize> {
        let is_idle = |worker: &Option<Worker>| worker.as_ref().is_some_and(|w| w.job.is_none());
        (0..self.workers.len()).filter(|&number| is_idle(&self.workers[number])).collect()
    }

    /// How many runs go on.
    pub fn busy(&self) -> usize {
        self.workers.iter().flatten().filter(|worker| worker.job.is_some()).count()
    }

    /// Has a worker make a run. If it is just gone, that will be told.
    pub fn give(&mut self, number: usize, job: Job) {
        if let Some(worker) = &mut self.workers[number] {
            let line = serde_json::to_string(&job).expect("a name and a number") + "\n";
            let _ = worker.input.write_all(line.as_bytes());
            worker.job = Some(job);
        }
    }

    /// Waits for something, at most so long.
    pub fn wait(&mut self, at_most: Duration) -> Happened {
        match self.receiver.recv_timeout(at_most) {
            Ok(Happened::Ran { worker, run }) => {
                if let Some(worker) = &mut self.workers[worker] {
                    worker.job = None;
                }
                Happened::Ran { worker, run }
            }
            Ok(happened) => happened,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Happened::Nothing,
        }
    }

    /// A worker that is gone is replaced; the job that it had, and how it ended.
    ///
    /// # Errors
    /// When the host makes no process.
    pub fn replace(&mut self, number: usize) -> io::Result<(Option<Job>, String)> {
        let Some(mut gone) = self.workers[number].take() else { return Ok((None, String::new())) };
        let status = gone.child.wait()?;
        self.workers[number] = Some(self.spawn(number)?);
        Ok((gone.job, status.to_string()))
    }

    /// Ends the runs that go on, as interrupted.
    pub fn interrupt(&mut self) {
        for worker in self.workers.iter_mut().flatten().filter(|worker| worker.job.is_some()) {
            if let Ok(pid) = i32::try_from(worker.child.id()) {
                // One that is just gone needs no signal.
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
        }
    }

    /// Lets the workers go; none may have a run.
    pub fn end(self) {
        for worker in self.workers.into_iter().flatten() {
            let Worker { mut child, input, .. } = worker;
            drop(input);
            let _ = child.wait();
        }
        // What comes from now on ends simrun as it would any program.
        let _ = ENDING.into_iter().collect::<SigSet>().thread_unblock();
    }
}
