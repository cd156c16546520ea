//! The first stack of a program: strings, auxiliary vector, environment, arguments.

use alloc::vec::Vec;

use simrun_abi::{boot::Processor, layout};

use crate::{
    error::Result,
    host::{Backing, Host},
    machine::Machine,
    mm::{AddressSpace, MapFlags, Mapping, Protection, Range},
    process::Process,
};

/// What the auxiliary vector says of the program.
pub struct Headers {
    /// Address of the program headers.
    pub address: u64,
    /// How many.
    pub count: u16,
    /// Where the interpreter is loaded, zero for none.
    pub interpreter_base: u64,
    /// The program's own entry point.
    pub entry: u64,
    /// Of this processor.
    pub processor: Processor,
}

/// Where things came to lie.
pub struct Built {
    /// Stack pointer at the start.
    pub pointer: u64,
    /// Argument strings: start and end.
    pub arguments: (u64, u64),
    /// Environment strings: start and end.
    pub environment: (u64, u64),
}

/// The stack pointer at the start is the top less a multiple of this, so that the size of arguments and
/// environment (a longer path, one variable more) does not move a program's stack.
const POINTER_STEP: u64 = 128 << 10;
/// Ticks per second that `times` counts in.
const CLOCK_TICKS: u64 = 100;
/// Bytes between the last string and the top, as Linux leaves a null pointer there.
const TOP_GAP: u64 = 8;

#[allow(missing_docs, reason = "getauxval(3) describes each")]
mod at {
    pub const NULL: u64 = 0;
    pub const PHDR: u64 = 3;
    pub const PHENT: u64 = 4;
    pub const PHNUM: u64 = 5;
    pub const PAGESZ: u64 = 6;
    pub const BASE: u64 = 7;
    pub const FLAGS: u64 = 8;
    pub const ENTRY: u64 = 9;
    pub const UID: u64 = 11;
    pub const EUID: u64 = 12;
    pub const GID: u64 = 13;
    pub const EGID: u64 = 14;
    pub const PLATFORM: u64 = 15;
    pub const HWCAP: u64 = 16;
    pub const CLKTCK: u64 = 17;
    pub const SECURE: u64 = 23;
    pub const RANDOM: u64 = 25;
    pub const HWCAP2: u64 = 26;
    pub const EXECFN: u64 = 31;
    pub const MINSIGSTKSZ: u64 = 51;
}

struct Strings {
    next: u64,
    bytes: Vec<u8>,
}

impl Strings {
    fn put(&mut self, string: &[u8]) -> u64 {
        let address = self.next;
        self.bytes.extend_from_slice(string);
        self.bytes.push(0);
        self.next += string.len() as u64 + 1;
        address
    }

    fn put_all(&mut self, strings: &[Vec<u8>]) -> (Vec<u64>, (u64, u64)) {
        let start = self.next;
        (strings.iter().map(|string| self.put(string)).collect(), (start, self.next))
    }
}

/// Maps and fills the stack, and notes in the process what `/proc` shows of it.
///
/// # Errors
/// What mapping fails with.
#[expect(clippy::too_many_arguments, reason = "the parts of an execve")]
pub fn build(
    host: &mut dyn Host,
    machine: &mut Machine,
    space: &mut AddressSpace,
    process: &mut Process,
    headers: &Headers,
    prot: Protection,
    path: &[u8],
    arguments: &[Vec<u8>],
    environment: &[Vec<u8>],
) -> Result<Built> {
    let range = Range { start: layout::STACK_TOP - layout::STACK_SIZE, end: layout::STACK_TOP };
    let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::NORESERVE;
    host.map(range.start, range.len(), prot, flags, Backing::Anonymous)?;
    space.insert(range, Mapping::anonymous(prot, flags, b"[stack]"));

    let text: usize =
        arguments.iter().chain(environment).map(|s| s.len() + 1).sum::<usize>() + path.len() + 64;
    let strings_start = (layout::STACK_TOP - TOP_GAP - text as u64) & !15;
    let mut strings = Strings { next: strings_start, bytes: Vec::with_capacity(text) };
    let mut secret = [0; 16];
    machine.random.process.fill(&mut secret);
    let random = strings.next;
    strings.bytes.extend_from_slice(&secret);
    strings.next += 16;
    let platform = strings.put(b"x86_64");
    let (argument_pointers, argument_range) = strings.put_all(arguments);
    let (environment_pointers, environment_range) = strings.put_all(environment);
    let name = strings.put(path);

    let auxiliary = auxiliary_vector(headers, process, random, platform, name);
    let mut words = alloc::vec![arguments.len() as u64];
    words.extend(argument_pointers);
    words.push(0);
    words.extend(environment_pointers);
    words.push(0);
    words.extend(&auxiliary);
    let used = layout::STACK_TOP - strings_start + (words.len() * 8) as u64;
    let pointer = layout::STACK_TOP - used.next_multiple_of(POINTER_STEP);
    host.write_user(strings_start, &strings.bytes)?;
    host.write_user(pointer, bytemuck::cast_slice(&words))?;

    let slice = |(start, end): (u64, u64)| {
        strings.bytes[(start - strings_start) as usize..(end - strings_start) as usize].to_vec()
    };
    process.command_line = slice(argument_range);
    process.environment = slice(environment_range);
    process.auxiliary = bytemuck::cast_slice(&auxiliary).to_vec();
    process.stack_start = pointer;
    Ok(Built { pointer, arguments: argument_range, environment: environment_range })
}

fn auxiliary_vector(
    headers: &Headers,
    process: &Process,
    random: u64,
    platform: u64,
    name: u64,
) -> Vec<u64> {
    let who = &process.credentials;
    [
        (at::HWCAP, headers.processor.hwcap),
        (at::PAGESZ, 4096),
        (at::CLKTCK, CLOCK_TICKS),
        (at::PHDR, headers.address),
        (at::PHENT, 56),
        (at::PHNUM, u64::from(headers.count)),
        (at::BASE, headers.interpreter_base),
        (at::FLAGS, 0),
        (at::ENTRY, headers.entry),
        (at::UID, u64::from(who.uid)),
        (at::EUID, u64::from(who.euid)),
        (at::GID, u64::from(who.gid)),
        (at::EGID, u64::from(who.egid)),
        (at::SECURE, 0),
        (at::RANDOM, random),
        (at::HWCAP2, headers.processor.hwcap2),
        (at::MINSIGSTKSZ, headers.processor.signal_stack_min),
        (at::EXECFN, name),
        (at::PLATFORM, platform),
        (at::NULL, 0),
    ]
    .into_iter()
    .flat_map(|(key, value)| [key, value])
    .collect()
}
