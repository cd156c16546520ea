//! The library that simrun has loaded into every dynamic glibc program.
//!
//! What never enters a kernel is out of the simulated kernel's sight: an uncontended mutex is taken by one
//! instruction, so no other thread ever runs between two critical sections. The hooks here enter the kernel by a
//! reserved call ([`simrun_abi::calls`]) first, and the scheduler may switch there.
//!
//! - [`point`]: that call.
//! - [`mutex`], [`rwlock`], [`condition`], [`semaphore`], [`spin`]: what is hooked.
//! - [`random`]: `std::random_device`, which would ask the processor.
//! - [`start`]: finds the hooked functions before anybody calls them.
//!
//! redhook finds the real function at a hook's first call, by `dlsym`. That is unsound in a signal handler
//! (`sem_post` is allowed there), between `fork` and `exec`, and before the loader is through. [`start`] therefore has
//! every real function found while the library is initialized: one thread, no handler, no child yet. `fork`, `exec`,
//! signal functions and whatever `dlsym` itself may call are not hooked at all.

mod condition;
mod mutex;
mod point;
mod random;
mod rwlock;
mod semaphore;
mod spin;
mod start;

// The unwinder that std refers to is linked in, so that programs do not load libgcc_s because of us.
#[link(name = "gcc_eh")]
unsafe extern "C" {}
