//! The run's ordered log.

use alloc::{collections::BTreeSet, string::String};

use simrun_abi::{
    boot::Detail,
    event::{Event, What},
};

use super::Fingerprint;
use crate::{host::Host, node::NodeId};

/// The run's ordered log: everything is folded into the fingerprint, and what the detail asks for goes to the
/// supervisor.
pub struct EventLog {
    detail: Detail,
    fingerprint: Fingerprint,
    escapes: BTreeSet<(String, String)>,
}

impl EventLog {
    /// An empty log.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        Self { detail, fingerprint: Fingerprint::default(), escapes: BTreeSet::new() }
    }

    /// The digest of all so far.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How much is told to the supervisor.
    #[must_use]
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Takes in an event.
    pub fn record(&mut self, host: &mut dyn Host, event: &Event) {
        self.fingerprint.fold_event(event);
        let needed = match event.what {
            What::Escape { .. } | What::Deadlock { .. } => Detail::Summary,
            What::Exec { .. } | What::StandardInput { .. } | What::Output { .. } => Detail::Kept,
            // Who has never fired is said at the end.
            What::Fault { count: 1, .. } => Detail::Summary,
            What::Fault { .. } => Detail::Faults,
            _ => Detail::Events,
        };
        if self.detail >= needed {
            host.emit(&event.encode());
        }
    }

    /// Takes in the end of a call: its numbers always, its text if asked for.
    pub fn record_call(&mut self, (node, tid): (NodeId, u32), number: u64, result: u64) {
        self.fingerprint.fold(number << 32 | u64::from(tid));
        if node != NodeId::default() {
            self.fingerprint.fold(node.raw().into());
        }
        self.fingerprint.fold(result);
    }

    /// Tells of a call without taking it into the fingerprint.
    pub fn show(&mut self, host: &mut dyn Host, event: &Event) {
        host.emit(&event.encode());
    }

    /// Whether this escape of this program is new; it is not a second time.
    pub fn is_new_escape(&mut self, what: &str, program: &str) -> bool {
        self.escapes.insert((what.into(), program.into()))
    }
}
