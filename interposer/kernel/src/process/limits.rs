//! Resource limits (getrlimit(2)). All are the simulation's own: the host's would break simrun's mappings.

use linux_raw_sys::general as raw;

/// No limit.
pub const INFINITY: u64 = u64::MAX;
/// Largest descriptor limit anyone may have (`fs.nr_open`).
pub const DESCRIPTORS_MAX: u64 = 1 << 20;

/// A resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(missing_docs, reason = "getrlimit(2) describes each")]
pub enum Resource {
    Cpu = raw::RLIMIT_CPU as usize,
    FileSize = raw::RLIMIT_FSIZE as usize,
    Data = raw::RLIMIT_DATA as usize,
    Stack = raw::RLIMIT_STACK as usize,
    Core = raw::RLIMIT_CORE as usize,
    Processes = raw::RLIMIT_NPROC as usize,
    Descriptors = raw::RLIMIT_NOFILE as usize,
    Locked = raw::RLIMIT_MEMLOCK as usize,
    AddressSpace = raw::RLIMIT_AS as usize,
    MessageQueues = raw::RLIMIT_MSGQUEUE as usize,
    Signals = raw::RLIMIT_SIGPENDING as usize,
    Nice = raw::RLIMIT_NICE as usize,
    RealTimePriority = raw::RLIMIT_RTPRIO as usize,
}

/// How many resources there are.
pub const RESOURCES: usize = raw::RLIM_NLIMITS as usize;

/// `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// How far the soft limit may be raised.
    pub hard: u64,
}

/// The limits of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits([Limit; RESOURCES]);

impl Default for Limits {
    /// What a login shell on a small machine has.
    fn default() -> Self {
        let infinite = Limit { soft: INFINITY, hard: INFINITY };
        let fixed = |both| Limit { soft: both, hard: both };
        let mut limits = [infinite; RESOURCES];
        limits[Resource::Stack as usize].soft = simrun_abi::layout::STACK_SIZE;
        limits[Resource::Core as usize].soft = 0;
        limits[Resource::Processes as usize] = fixed(15_000);
        limits[Resource::Descriptors as usize] = Limit { soft: 1024, hard: DESCRIPTORS_MAX };
        limits[Resource::Locked as usize] = fixed(8 << 20);
        limits[Resource::Signals as usize] = fixed(15_000);
        limits[Resource::MessageQueues as usize] = fixed(819_200);
        limits[Resource::Nice as usize] = fixed(0);
        limits[Resource::RealTimePriority as usize] = fixed(0);
        Self(limits)
    }
}

impl Limits {
    /// What the first process of a machine has, on which a process may have so many descriptors, if that is given.
    #[must_use]
    pub fn of_machine(descriptors: Option<u32>) -> Self {
        let mut limits = Self::default();
        if let Some(most) = descriptors {
            let both = u64::from(most).min(DESCRIPTORS_MAX);
            limits.set(Resource::Descriptors as usize, Limit { soft: both, hard: both });
        }
        limits
    }

    /// What is enforced.
    #[must_use]
    pub fn soft(&self, of: Resource) -> u64 {
        self.0[of as usize].soft
    }

    /// The limit with this number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Limit> {
        self.0.get(number).copied()
    }

    /// Sets the limit with this number; the caller has checked that it may.
    pub fn set(&mut self, number: usize, limit: Limit) {
        if let Some(place) = self.0.get_mut(number) {
            *place = limit;
        }
    }
}
