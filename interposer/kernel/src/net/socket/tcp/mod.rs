//! TCP.
//!
//! - [`phase`]: how a connection ends, as a pure state machine.
//! - [`state`]: what a socket is: fresh, listening, connecting, connected.
//! - [`socket`]: the object, making and ending connections.
//! - [`transfer`]: bytes in and out, and readiness.
//! - [`urgent`]: the byte that is read by itself.
//! - [`ending`]: how this end ends it.
//! - [`retransmit`]: what gets lost and is sent again.
//! - [`silence`]: asking whether the other end is still there.
//! - [`bind`]: which ports a socket may have.
//! - [`shown`]: what others are shown of it.

mod bind;
mod ending;
mod object;
mod options;
mod phase;
mod retransmit;
mod shown;
mod silence;
mod socket;
mod state;
mod transfer;
mod urgent;
pub use object::{bound_endpoint, endpoint};
pub use phase::{Effect, Phase, Segment, Shut};
pub use socket::{TcpOptions, TcpSocket};
pub use state::{Connected, Connecting, Fresh, Listening, State};
pub use urgent::Urgency;
use urgent::{Inline, Stretch};
