//! Address spaces: which ranges are mapped, and where the next mapping goes.
//!
//! The host does the mapping; the kernel chooses every address, so that none depends on the host.

mod flags;
mod life;
mod objects;
mod prefault;
pub mod remote;
mod space;
pub use flags::{MapFlags, Protection};
pub use life::{Life, LifeWatch};
pub use objects::SharedObjects;
pub use prefault::prefault;
pub use space::{AddressSpace, Mapping, Range, SpaceId};
