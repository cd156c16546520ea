//! What both ends of a pseudo-terminal share.

use alloc::{collections::VecDeque, vec::Vec};
use core::cell::RefCell;

use bytemuck::Zeroable;

use super::line::{Input, Key, Line};
use crate::{
    error::{Errno, Result},
    machine::Machine,
    process::Pid,
    signal::Signal,
    uapi::termios::{Termios, WindowSize},
    wait::{Readiness, WaitQueue},
};

/// Most bytes on the screen that the master has not read (the limit of a tty's flip buffer).
const SCREEN_MAX: usize = 64 << 10;

#[allow(missing_docs, reason = "signal(7) describes each")]
pub(super) mod signals {
    pub const HANGUP: u64 = 1;
    pub const INTERRUPT: u64 = 2;
    pub const QUIT: u64 = 3;
    pub const CONTINUE: u64 = 18;
    pub const TERMINAL_STOP: u64 = 20;
    pub const WINDOW_CHANGE: u64 = 28;
}

#[derive(Debug)]
struct State {
    line: Line,
    screen: VecDeque<u8>,
    window: WindowSize,
    /// Modes and characters that are not zero here keep their values.
    locked_modes: Termios,
    /// Whether the slave is opened no more.
    exclusive: bool,
    session: Option<Pid>,
    foreground: Option<Pid>,
    locked: bool,
    slaves: u32,
    was_opened: bool,
    master_open: bool,
}

/// A pseudo-terminal.
#[derive(Debug)]
pub struct Terminal {
    /// Its number: `/dev/pts/N`.
    pub number: u32,
    /// Woken when the slave's readiness changes.
    pub slave_queue: WaitQueue,
    /// Woken when the master's readiness changes.
    pub master_queue: WaitQueue,
    state: RefCell<State>,
}

impl Terminal {
    /// A locked terminal whose master is open.
    #[must_use]
    pub fn new(number: u32) -> Self {
        let state = State {
            line: Line::default(),
            screen: VecDeque::new(),
            window: WindowSize::default(),
            locked_modes: Termios::zeroed(),
            exclusive: false,
            session: None,
            foreground: None,
            locked: true,
            slaves: 0,
            was_opened: false,
            master_open: true,
        };
        Self {
            number,
            slave_queue: WaitQueue::default(),
            master_queue: WaitQueue::default(),
            state: RefCell::new(state),
        }
    }

    /// Types at the master; how many bytes were taken.
    pub fn type_in(&self, machine: &mut Machine, bytes: &[u8]) -> Result<usize> {
        let mut state = self.state.borrow_mut();
        let State { line, screen, foreground, .. } = &mut *state;
        let mut done = 0;
        let mut keys = Vec::new();
        for &byte in bytes {
            if !line.has_room() {
                break;
            }
            keys.extend(line.take(byte, screen));
            done += 1;
        }
        let (ready, echoed, foreground) = (line.is_ready(), !screen.is_empty(), *foreground);
        drop(state);
        if ready {
            self.slave_queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
        if echoed {
            self.master_queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
        for key in keys {
            let signal = match key {
                Key::Interrupt => signals::INTERRUPT,
                Key::Quit => signals::QUIT,
                Key::Suspend => signals::TERMINAL_STOP,
            };
            post(machine, foreground, signal);
        }
        if done == 0 && !bytes.is_empty() { Err(Errno::EAGAIN.into()) } else { Ok(done) }
    }

    /// Reads the screen at the master.
    pub fn read_screen(&self, machine: &mut Machine, max: usize) -> Result<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        if state.screen.is_empty() {
            let gone = state.was_opened && state.slaves == 0;
            return Err(if gone { Errno::EIO } else { Errno::EAGAIN }.into());
        }
        let len = max.min(state.screen.len());
        let bytes = state.screen.drain(..len).collect();
        drop(state);
        self.slave_queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        Ok(bytes)
    }

    /// Reads input at the slave; nothing once the master is closed.
    pub fn read_input(&self, machine: &mut Machine, max: usize) -> Result<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        if !state.master_open {
            return Ok(Vec::new());
        }
        match state.line.read(max) {
            Input::Nothing => Err(Errno::EAGAIN.into()),
            Input::Bytes(bytes) => {
                drop(state);
                self.master_queue.wake(Readiness::WRITABLE, &mut machine.wakes);
                Ok(bytes)
            }
        }
    }

    /// Writes at the slave; how many bytes were taken.
    pub fn print(&self, machine: &mut Machine, bytes: &[u8]) -> Result<usize> {
        let mut state = self.state.borrow_mut();
        if !state.master_open {
            return Err(Errno::EIO.into());
        }
        let State { line, screen, .. } = &mut *state;
        let mut done = 0;
        while done < bytes.len() && screen.len() < SCREEN_MAX {
            line.process(bytes[done], screen);
            done += 1;
        }
        drop(state);
        if done == 0 && !bytes.is_empty() {
            return Err(Errno::EAGAIN.into());
        }
        self.master_queue.wake(Readiness::READABLE, &mut machine.wakes);
        Ok(done)
    }

    /// Puts a byte on the screen as it is, if there is room.
    pub fn show(&self, machine: &mut Machine, byte: u8) {
        let mut state = self.state.borrow_mut();
        if state.screen.len() < SCREEN_MAX {
            state.screen.push_back(byte);
        }
        drop(state);
        self.master_queue.wake(Readiness::READABLE, &mut machine.wakes);
    }

    /// What the master is ready for.
    pub fn master_readiness(&self) -> Readiness {
        let state = self.state.borrow();
        let mut ready = Readiness::empty();
        if !state.screen.is_empty() {
            ready |= Readiness::READABLE;
        }
        if state.line.has_room() {
            ready |= Readiness::WRITABLE;
        }
        if state.was_opened && state.slaves == 0 {
            ready |= Readiness::HUP;
        }
        ready
    }

    /// What the slave is ready for.
    pub fn slave_readiness(&self) -> Readiness {
        let state = self.state.borrow();
        if !state.master_open {
            return Readiness::READABLE | Readiness::WRITABLE | Readiness::ERR | Readiness::HUP;
        }
        let mut ready = Readiness::empty();
        if state.line.is_ready() {
            ready |= Readiness::READABLE;
        }
        if state.screen.len() < SCREEN_MAX {
            ready |= Readiness::WRITABLE;
        }
        ready
    }

    /// Counts another open slave, of a caller who is an administrator or not.
    ///
    /// # Errors
    /// `EIO` while it is locked, or once the master is closed; `EBUSY` while somebody has it alone.
    pub fn open_slave(&self, is_administrator: bool) -> Result<()> {
        let mut state = self.state.borrow_mut();
        if state.locked || !state.master_open {
            return Err(Errno::EIO.into());
        }
        if state.exclusive && !is_administrator {
            return Err(Errno::EBUSY.into());
        }
        state.slaves += 1;
        state.was_opened = true;
        Ok(())
    }

    /// A slave is closed.
    pub fn close_slave(&self, machine: &mut Machine) {
        let mut state = self.state.borrow_mut();
        state.slaves -= 1;
        let last = state.slaves == 0;
        drop(state);
        if last {
            self.master_queue.wake(Readiness::HUP | Readiness::READABLE, &mut machine.wakes);
        }
    }

    /// The master is closed: whoever sits at the terminal is told (tty_ioctl(4), "vhangup").
    pub fn close_master(&self, machine: &mut Machine) {
        self.state.borrow_mut().master_open = false;
        self.slave_queue.wake(Readiness::all(), &mut machine.wakes);
        self.leave_session(machine);
    }

    /// The session is over or the line is gone: the foreground gets SIGHUP and SIGCONT.
    pub fn leave_session(&self, machine: &mut Machine) {
        let mut state = self.state.borrow_mut();
        let (session, foreground) = (state.session.take(), state.foreground.take());
        drop(state);
        for group in [foreground, session.filter(|session| Some(*session) != foreground)] {
            post(machine, group, signals::HANGUP);
            post(machine, group, signals::CONTINUE);
        }
    }

    /// Whether the slave can be opened.
    pub fn is_locked(&self) -> bool {
        self.state.borrow().locked
    }

    /// Allows or forbids opening the slave.
    pub fn set_locked(&self, locked: bool) {
        self.state.borrow_mut().locked = locked;
    }

    /// Whose controlling terminal it is.
    pub fn session(&self) -> Option<Pid> {
        self.state.borrow().session
    }

    /// Makes it a session's controlling terminal, with this group in the foreground.
    pub fn join_session(&self, session: Pid, group: Pid) {
        let mut state = self.state.borrow_mut();
        (state.session, state.foreground) = (Some(session), Some(group));
    }

    /// Takes it from its session without a signal (`TIOCNOTTY`).
    pub fn forget_session(&self) {
        let mut state = self.state.borrow_mut();
        (state.session, state.foreground) = (None, None);
    }

    /// The group that gets its signals.
    pub fn foreground(&self) -> Option<Pid> {
        self.state.borrow().foreground
    }

    /// Sets it.
    pub fn set_foreground(&self, group: Pid) {
        self.state.borrow_mut().foreground = Some(group);
    }

    /// Its settings.
    pub fn termios(&self) -> Termios {
        self.state.borrow().line.termios
    }

    /// Changes its settings.
    pub fn set_termios(&self, machine: &mut Machine, termios: Termios) {
        let mut state = self.state.borrow_mut();
        state.line.termios = termios.keeping(&state.line.termios, &state.locked_modes);
        let ready = state.line.is_ready();
        drop(state);
        if ready {
            self.slave_queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
    }

    /// Which of its settings keep their values: all that are not zero.
    pub fn locked_modes(&self) -> Termios {
        self.state.borrow().locked_modes
    }

    /// Lets settings keep their values.
    pub fn lock_modes(&self, which: Termios) {
        self.state.borrow_mut().locked_modes = which;
    }

    /// Whether the slave is opened no more.
    pub fn is_exclusive(&self) -> bool {
        self.state.borrow().exclusive
    }

    /// Lets the slave be opened no more, or again.
    pub fn set_exclusive(&self, exclusive: bool) {
        self.state.borrow_mut().exclusive = exclusive;
    }

    /// Drops input, as `tcflush` does.
    pub fn flush_input(&self) {
        self.state.borrow_mut().line.flush();
    }

    /// Drops what the master has not read.
    pub fn flush_screen(&self) {
        self.state.borrow_mut().screen.clear();
    }

    /// Bytes that the slave can read, and that the master can.
    pub fn waiting(&self) -> (usize, usize) {
        let state = self.state.borrow();
        (state.line.len(), state.screen.len())
    }

    /// The size of its window.
    pub fn window(&self) -> WindowSize {
        self.state.borrow().window
    }

    /// Changes it, and tells the foreground.
    pub fn set_window(&self, machine: &mut Machine, window: WindowSize) {
        let mut state = self.state.borrow_mut();
        let changed = core::mem::replace(&mut state.window, window) != window;
        let foreground = state.foreground;
        drop(state);
        if changed {
            post(machine, foreground, signals::WINDOW_CHANGE);
        }
    }
}

fn post(machine: &mut Machine, group: Option<Pid>, signal: u64) {
    if let (Some(group), Some(signal)) = (group, Signal::new(signal)) {
        machine.group_signals.push((group, signal));
    }
}
