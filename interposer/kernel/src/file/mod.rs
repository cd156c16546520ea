//! Open files: descriptors, descriptions, and the types of file that have no name in a tree.
//!
//! No operation here ever blocks: it fails with `EAGAIN`, and the handler of the call waits on the
//! description's queue if the descriptor is a blocking one.

mod description;
mod device;
mod object;
mod pipe;
mod process;
mod regular;
mod stream;
mod table;
mod text;
mod transfer;
pub use description::{File, FileDescription, OpenFlags, Whence};
pub use device::DeviceFile;
pub(crate) use object::FileObject;
pub use pipe::{FifoOpening, Pipe, PipeEnd};
pub use process::ProcessFile;
pub use regular::RegularFile;
pub use stream::HostStream;
pub use table::{Descriptor, Fd, FdTable};
pub use text::TextFile;
