//! Pseudo-terminals (pty(7), termios(3)).
//!
//! - `line`: the line discipline, a state machine from bytes typed to lines, echo and signals.
//! - `terminal`: what both ends of a pseudo-terminal share.
//! - `end`: the ends as open files.
//! - `registry`: all terminals of the machine, and whose controlling terminal each is.

mod end;
mod line;
mod registry;
mod terminal;
pub use end::{Side, TerminalEnd};
pub use registry::Terminals;
pub use terminal::Terminal;
