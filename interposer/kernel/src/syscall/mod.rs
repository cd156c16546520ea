//! System calls: the table, and a file of decoders for each family.
//!
//! A new call is a row in [`table`] and a function here. A handler decodes its arguments into types, refuses what
//! it does not know, calls an object, and writes the results out.

mod attributes;
mod clock;
mod credentials;
mod descriptors;
mod directory;
mod epoll;
mod event;
pub mod exec;
mod extensible;
mod fcntl;
mod futex;
mod futex_lock;
mod futex_vector;
mod groups;
mod identity;
mod inotify;
pub(crate) mod io;
mod ioctl;
mod ipc;
mod kill;
mod limits;
mod locks;
mod mask;
mod memory;
mod memory_file;
mod message_queue;
pub mod open;
mod open_how;
pub mod path;
mod pidfd;
pub mod pipe;
mod prctl;
mod process;
mod readiness;
mod residence;
pub mod scene;
mod sched;
mod signal;
mod signalfd;
mod socket;
mod splice;
mod stat;
pub mod subject;
mod system;
pub mod table;
mod thread;
mod time;
mod timers;
mod tree;
mod usage;
mod volume;
mod wait;
mod xattr;
