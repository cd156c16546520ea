//! Processes and threads.

pub mod code;
mod credentials;
mod exec;
mod ids;
mod limits;
mod settings;
mod state;
mod thread;
mod trace;
mod trace_registers;
pub use credentials::{CAPABILITY_LAST, Capabilities, Credentials, unless_minus_one};
pub use exec::{Image, OpenedProgram, load};
pub use ids::{Pid, Tid};
pub use limits::{DESCRIPTORS_MAX, INFINITY, Limit, Limits, RESOURCES, Resource};
pub use settings::{Policy, Scheduling, Settings, TIMER_SLACK_DEFAULT};
pub use state::{FsContext, JobChange, Process, ProcessId, ProcessState};
pub use thread::{AioProgress, Call, Held, LockWait, State, Thread, ThreadId};
pub use trace::{EndedTracee, GoesOn, Stop, Trace, TraceEvent, TraceOptions, Tracing};
pub use trace_registers::UserRegisters;
