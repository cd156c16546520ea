//! Open files: descriptors, descriptions, and the types of file that have no name in a tree.
//!
//! No operation here ever blocks: it fails with `EAGAIN`, and the handler of the call waits on the
//! description's queue if the descriptor is a blocking one.

mod description;
mod device;
mod directory;
mod event;
mod inotify;
mod locks;
mod memory;
mod message_queue;
mod notifier;
mod object;
mod pipe;
mod place;
mod process;
mod regular;
mod signal;
mod stream;
mod table;
mod text;
pub mod tty;
pub use device::{Device, DeviceFile, device_number, terminal_device};
mod timer;
mod transfer;
pub use description::{File, FileDescription, OpenFlags, Watcher, Whence};
pub use directory::{Directory, DirectorySource};
pub use event::{EventFd, EventKind};
pub use inotify::{Happening, Inotify, InotifyCounts, Repeated, Told};
pub use locks::{FileLocks, LockKind, LockOwner, LockWaiter, RecordLock};
pub use memory::MemoryFile;
pub use message_queue::{MessageQueueFile, Notice, PRIORITIES, QueueSize, QueuedMessage};
pub use notifier::Notifier;
pub(crate) use object::FileObject;
pub use pipe::{FifoOpening, Giving, Pipe, PipeEnd};
pub use place::PlaceFile;
pub use process::ProcessFile;
pub use regular::RegularFile;
pub use signal::SignalFile;
pub use stream::HostStream;
pub use table::{Descriptor, Fd, FdTable};
pub use text::TextFile;
pub use timer::{TimerBase, TimerFd, TimerSetting};
