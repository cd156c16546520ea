//! What the kernel's own tests use in place of the real machine.

mod host;
pub use host::FakeHost;
