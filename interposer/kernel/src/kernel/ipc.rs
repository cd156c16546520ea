//! What processes' coming and going means to IPC.

use alloc::{rc::Rc, vec::Vec};

use super::Kernel;
use crate::{
    context::Context, file::FileObject, host::Host, ipc::Id, machine::Env, process::ProcessId,
};

impl Kernel {
    /// The second that it is, as objects of IPC note it.
    #[must_use]
    pub fn ipc_time(&self) -> i64 {
        self.machine.clock.wall().as_secs() as i64
    }

    /// Counts the mappings of all segments of shared memory anew, after mappings have come or gone: who acts now is the
    /// last who attached or detached. Segments that were only waiting for this go.
    pub fn recount_attachments(&mut self, host: &mut dyn Host) {
        if self.ipc.segments.is_empty() {
            return;
        }
        let (now, actor) = (self.ipc_time(), self.machine.actor.0);
        let mut finished = Vec::new();
        for (id, segment) in self.ipc.segments.iter_mut() {
            let object = segment.object;
            let count = self.spaces.iter().map(|(_, space)| space.attachments_of(object)).sum();
            let before = core::mem::replace(&mut segment.attached, count);
            if count == before {
                continue;
            }
            segment.last = actor;
            if count > before {
                segment.attach_time = now;
            } else {
                segment.detach_time = now;
            }
            if segment.is_finished() {
                finished.push(id);
            }
        }
        for id in finished {
            self.destroy_segment(host, id);
        }
    }

    /// Lets a segment's memory go.
    pub fn destroy_segment(&mut self, host: &mut dyn Host, id: Id) {
        if let Some(segment) = self.ipc.segments.remove(id) {
            segment.memory.release(&mut Env { machine: &mut self.machine, host });
        }
    }

    /// Lets the threads that wait at a semaphore set have what has become possible.
    pub fn serve_semaphores(&mut self, id: Id) {
        let now = self.ipc_time();
        let Ok(set) = self.ipc.semaphores.get_mut(id) else { return };
        for (thread, result) in set.serve(now) {
            self.wake_with(thread, result.map_or_else(|error| error.errno.as_result(), |()| 0));
        }
    }

    /// Undoes what a process did to semaphores with `SEM_UNDO`, unless another process shares its list.
    pub(crate) fn undo_semaphores(&mut self, id: ProcessId) {
        let list = core::mem::take(&mut self.process_mut(id).undo_list);
        let pid = self.process(id).pid.raw();
        let Some(list) = Rc::into_inner(list).filter(|list| list.get() != 0) else {
            return;
        };
        let now = self.ipc_time();
        let mut undone = Vec::new();
        for (id, set) in self.ipc.semaphores.iter_mut() {
            if set.undo(list.get(), pid) {
                set.operation_time = now;
                undone.push(id);
            }
        }
        for id in undone {
            self.serve_semaphores(id);
        }
    }
}

impl Context<'_> {
    /// The number of the process's list of adjustments, which it has from now on.
    pub fn undo_list(&mut self) -> u64 {
        let list = Rc::clone(&self.process().undo_list);
        if list.get() == 0 {
            list.set(self.kernel.ipc.new_undo_list());
        }
        list.get()
    }
}
