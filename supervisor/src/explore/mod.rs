//! Many runs together: one workload over many seeds and fault models.
//!
//! - [`jobs`]: which runs there are to make, in which order.
//! - [`worker`]: a process that makes one run after the other.
//! - [`pool`]: the workers.
//! - [`progress`]: what is said meanwhile.
//! - [`trace`]: the events of a run that failed, had again from its seed.

pub mod jobs;
pub mod pool;
pub mod progress;
pub mod trace;
pub mod worker;
