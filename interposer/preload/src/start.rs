//! Finding the hooked functions while nothing can go wrong.

use crate::{condition, mutex, rwlock, semaphore, spin};

/// Run by the loader when the library is initialized.
#[used]
#[unsafe(link_section = ".init_array")]
static INITIALIZE: extern "C" fn() = initialize;

extern "C" fn initialize() {
    mutex::find();
    rwlock::find();
    condition::find();
    semaphore::find();
    spin::find();
}
