//! IPC of System V (sysvipc(7)), and the names of POSIX message queues.
//!
//! - `permission`: who may do what with an object, as all three kinds have it.
//! - `registry`: the objects of a kind, by id and by key.
//! - `shared`: shared memory; `semaphore`: semaphore sets; `message`: message queues.
//! - `state`: all of them.

mod message;
mod permission;
mod registry;
mod semaphore;
mod shared;
mod state;
pub use message::{Delivery, Message, MessageQueue, Receiver, Selection};
pub use permission::{Permission, RawPermission};
pub use registry::{Id, Object, Registry};
pub use semaphore::{
    ADJUSTMENT_MAX, Attempt, Awaited, Operation, Operations, Semaphore, SemaphoreSet, VALUE_MAX,
};
pub use shared::{DESTROYED, LOCKED, Segment};
pub use state::Ipc;
