//! Who is told of a run's events as they come.

use simrun_abi::event::Event;

/// Is told of a run's events.
pub trait Listener {
    /// The next one.
    fn event(&mut self, event: Event);

    /// The run has waited for standard input for long, with this program.
    fn awaits_input(&mut self, _program: &str) {}

    /// There are no more for now: what is held back to be written together may go out.
    fn caught_up(&mut self) {}
}

impl<F: FnMut(Event)> Listener for F {
    fn event(&mut self, event: Event) {
        self(event);
    }
}
