//! What a fault may ask about the call before it.

use alloc::vec::Vec;

use simrun_abi::faults::{Descriptor, DiskOperation};

use crate::{error::Errno, node::NodeId};

/// A call that a fault may hit. What is not asked for costs nothing.
pub trait Scene {
    /// The node that the call is made on.
    fn node(&mut self) -> NodeId;
    /// Path of the calling program.
    fn program(&mut self) -> Vec<u8>;
    /// An argument of the call.
    fn argument(&mut self, index: usize) -> u64;
    /// What the call's descriptor refers to, if it has one that is open.
    fn descriptor(&mut self) -> Option<Descriptor>;
    /// What is done with the disk, if anything is.
    fn disk(&mut self) -> Option<DiskOperation>;
    /// Whether the call waits until a time at most.
    fn has_deadline(&mut self) -> bool;
    /// Whether the call may end without a reason (futex(2), "spurious wake-ups").
    fn may_wake(&mut self) -> bool;
    /// Whether the call wakes some of several threads that wait for a futex.
    fn wakes_one_of_several(&mut self) -> bool;
    /// Absolute paths that the call is about, those of open files included.
    fn paths(&mut self) -> Vec<Vec<u8>>;
    /// How many descriptors the process has open.
    fn open_descriptors(&mut self) -> u64;
    /// Whether Linux could let this call fail so, with these arguments.
    fn can_fail(&mut self, errno: Errno) -> bool;
    /// How many bytes the call will move, as far as can be told before it is made.
    fn bytes(&mut self) -> Option<u64>;
    /// How many bytes the call was asked to move, if Linux could move fewer.
    fn divisible_bytes(&mut self) -> Option<u64>;
}
