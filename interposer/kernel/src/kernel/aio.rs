//! What the end of an address space means to asynchronous I/O.

use super::Kernel;
use crate::{aio::AioContext, file::FileDescription, host::Host, machine::Env, mm::SpaceId};

impl Kernel {
    /// Ends all contexts of an address space that is about to go (`exit_aio`).
    pub(crate) fn end_aio(&mut self, host: &mut dyn Host, space: SpaceId) {
        for context in self.aio.remove_all(space) {
            context.end(&mut self.machine.wakes);
            self.release_finished(host, &context);
        }
    }

    /// Lets go of the files that a context no longer needs.
    pub(crate) fn release_finished(&mut self, host: &mut dyn Host, context: &AioContext) {
        for file in context.take_files() {
            FileDescription::let_go(file, &mut Env { machine: &mut self.machine, host });
        }
    }
}
