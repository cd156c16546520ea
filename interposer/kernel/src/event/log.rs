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
    /// How many events there were, ends of calls included.
    count: u64,
    /// How many there may be.
    count_max: u64,
    escapes: BTreeSet<(String, String)>,
}

impl EventLog {
    /// An empty log, of a run that is ended after this event, if it comes to that.
    #[must_use]
    pub fn new(detail: Detail, last: Option<u64>) -> Self {
        Self {
            detail,
            fingerprint: Fingerprint::default(),
            count: 0,
            count_max: last.unwrap_or(u64::MAX),
            escapes: BTreeSet::new(),
        }
    }

    /// The number of the next event.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.count + 1
    }

    /// Whether the last event has happened that the run is to have.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count >= self.count_max
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
        self.count += 1;
        self.fingerprint.fold_event(event);
        let needed = match event.what {
            What::Escape { .. } | What::Deadlock { .. } | What::NodeEnded { .. } => Detail::Summary,
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

    /// Counts the end of a call that always ends in the same way.
    pub fn count(&mut self) {
        self.count += 1;
    }

    /// Takes in the end of a call: its numbers always, its text if asked for.
    pub fn record_call(&mut self, (node, tid): (NodeId, u32), number: u64, result: u64) {
        self.count += 1;
        self.fingerprint.fold(number << 32 | u64::from(tid));
        if node != NodeId::default() {
            self.fingerprint.fold(node.raw().into());
        }
        self.fingerprint.fold(result);
    }

    /// Tells of a call that is about to be taken in.
    pub fn show(&mut self, host: &mut dyn Host, event: &Event) {
        host.emit(&event.encode());
    }

    /// Whether this escape of this program is new; it is not a second time.
    pub fn is_new_escape(&mut self, what: &str, program: &str) -> bool {
        self.escapes.insert((what.into(), program.into()))
    }
}
