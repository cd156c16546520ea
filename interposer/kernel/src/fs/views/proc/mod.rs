//! `/proc`.
//!
//! - `tree`: its root; `machine`: processors, memory, times of the machine.
//! - `process`: the directory of a process or thread; `status`, `maps` and `facts`: the texts in it.
//! - `settings`: `/proc/sys`; `network`: `/proc/net`; `ipc`: `/proc/sysvipc`.

mod facts;
mod ipc;
mod machine;
mod maps;
mod network;
mod process;
mod settings;
mod status;
mod tree;
pub use machine::memory;
pub use process::write;
pub use settings::numbers;
pub use tree::lookup;
