//! What an instruction does to memory, as far as that can be told before it is executed.

use alloc::vec::Vec;

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, Register,
};

use crate::{
    arch::x86_64::{Branch, Registers},
    event::Fingerprint,
    host::Host,
};

/// Longest instruction in bytes (Intel SDM, volume 2, 2.3.11).
const INSTRUCTION_MAX: usize = 15;

/// A thread's processor state between two instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// General registers.
    pub registers: Registers,
    /// Bases of fs and gs.
    pub bases: (u64, u64),
    /// Digest of vector and floating-point registers.
    pub extended: u64,
}

/// TF and RF: they tell of single steps and of faults, not of the thread.
const DEBUGGING_FLAGS: u64 = 1 << 8 | 1 << 16;

impl Machine {
    /// The state of a thread with these registers.
    #[must_use]
    pub fn new(mut registers: Registers, bases: (u64, u64), extended: u64) -> Self {
        registers.eflags &= !DEBUGGING_FLAGS;
        Self { registers, bases, extended }
    }

    fn register(&self, register: Register) -> Option<u64> {
        let r = &self.registers;
        let full = match register.full_register() {
            Register::RAX => r.rax,
            Register::RCX => r.rcx,
            Register::RDX => r.rdx,
            Register::RBX => r.rbx,
            Register::RSP => r.rsp,
            Register::RBP => r.rbp,
            Register::RSI => r.rsi,
            Register::RDI => r.rdi,
            Register::R8 => r.r8,
            Register::R9 => r.r9,
            Register::R10 => r.r10,
            Register::R11 => r.r11,
            Register::R12 => r.r12,
            Register::R13 => r.r13,
            Register::R14 => r.r14,
            Register::R15 => r.r15,
            Register::FS => self.bases.0,
            Register::GS => self.bases.1,
            Register::CS | Register::DS | Register::ES | Register::SS => 0,
            _ => return None,
        };
        let in_addresses_of_four_bytes = register.is_gpr32();
        Some(if in_addresses_of_four_bytes { full & u64::from(u32::MAX) } else { full })
    }
}

/// What of an extended state depends on more than the thread: bytes reserved for software, and the header that says which
/// components the processor took for unused (Intel SDM, volume 1, 13.4).
const UNSTABLE: core::ops::Range<usize> = 464..576;

/// Digest of an extended state in the standard form of XSAVE.
#[must_use]
pub fn digest(state: &[u8]) -> u64 {
    let mut digest = Fingerprint::default();
    digest.fold_bytes(&state[..state.len().min(UNSTABLE.start)]);
    digest.fold_bytes(state.get(UNSTABLE.end..).unwrap_or_default());
    digest.value()
}

/// What the next instruction does.
#[derive(Debug, PartialEq, Eq)]
pub enum Effects {
    /// It reads and writes the places in the lists, if any; where it is a jump with its distance, that.
    Ordinary(Option<Branch>),
    /// It enters the kernel, or shows that it is executed step by step, or cannot be told.
    Unknown,
}

/// Tells effects.
pub struct Decode {
    factory: InstructionInfoFactory,
    /// The bytes that the last instruction asked about reads: first and number.
    pub reads: Vec<(u64, u64)>,
    /// The same for what it writes.
    pub writes: Vec<(u64, u64)>,
}

impl Default for Decode {
    fn default() -> Self {
        Self { factory: InstructionInfoFactory::new(), reads: Vec::new(), writes: Vec::new() }
    }
}

impl Decode {
    /// Empties the lists.
    pub fn forget(&mut self) {
        self.reads.clear();
        self.writes.clear();
    }

    /// What the instruction at the machine's place does.
    pub fn effects(&mut self, host: &mut dyn Host, machine: &Machine) -> Effects {
        self.forget();
        let mut code = [0; INSTRUCTION_MAX];
        let Some(len) = read_code(host, machine.registers.rip, &mut code) else {
            return Effects::Unknown;
        };
        let mut decoder =
            Decoder::with_ip(64, &code[..len], machine.registers.rip, DecoderOptions::NONE);
        let instruction = decoder.decode();
        if leaves(&instruction) {
            return Effects::Unknown;
        }
        for memory in self.factory.info(&instruction).used_memory() {
            let (reads, writes) = match memory.access() {
                OpAccess::None | OpAccess::NoMemAccess => continue,
                OpAccess::Read | OpAccess::CondRead => (true, false),
                OpAccess::Write | OpAccess::CondWrite => (false, true),
                OpAccess::ReadWrite | OpAccess::ReadCondWrite => (true, true),
            };
            // A repeated instruction is executed once at a time.
            let size = match memory.memory_size().size() {
                0 if instruction.is_string_instruction() => instruction.memory_size().size(),
                size => size,
            } as u64;
            let address = memory.virtual_address(0, |register, _, _| machine.register(register));
            let (Some(address), 1..) = (address, size) else { return Effects::Unknown };
            // Gathered from several places: only the first is known.
            if memory.vsib_size() > 0 {
                return Effects::Unknown;
            }
            if reads {
                self.reads.push((address, size));
            }
            if writes {
                self.writes.push((address, size));
            }
        }
        Effects::Ordinary(Branch::decode(&code[..len]))
    }
}

/// The bytes from an address on: as many as an instruction can have, or as are there.
fn read_code(host: &mut dyn Host, address: u64, code: &mut [u8]) -> Option<usize> {
    (1..=code.len()).rev().find(|&len| host.read_user(address, &mut code[..len]).is_ok())
}

/// Whether an instruction enters the kernel, or works with flags that show a single step.
fn leaves(instruction: &Instruction) -> bool {
    let by_flow = matches!(
        instruction.flow_control(),
        FlowControl::Interrupt | FlowControl::Exception | FlowControl::XbeginXabortXend
    );
    let by_name = matches!(
        instruction.mnemonic(),
        Mnemonic::Syscall
            | Mnemonic::Sysenter
            | Mnemonic::Rdtsc
            | Mnemonic::Rdtscp
            | Mnemonic::Rdrand
            | Mnemonic::Rdseed
            | Mnemonic::Rdpid
            | Mnemonic::Pushf
            | Mnemonic::Pushfq
            | Mnemonic::Popf
            | Mnemonic::Popfq
            | Mnemonic::Iret
            | Mnemonic::Iretq
            | Mnemonic::Hlt
    );
    by_flow || by_name || instruction.code() == Code::INVALID
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    #[test]
    fn writes_are_found_with_address_and_length() {
        type Case = (&'static [u8], Option<&'static [(u64, u64)]>);
        let cases: [Case; 9] = [
            (&[0x90], Some(&[])),
            // mov %eax, 8(%rbx); mov %rax, %fs:0x10; lock incb (%rbx)
            (&[0x89, 0x43, 0x08], Some(&[(0x2008, 4)])),
            (&[0x64, 0x48, 0x89, 0x04, 0x25, 0x10, 0, 0, 0], Some(&[(0x7010, 8)])),
            (&[0xf0, 0xfe, 0x03], Some(&[(0x2000, 1)])),
            // push %rax; call to what follows; rep stosb
            (&[0x50], Some(&[(0x2ff8, 8)])),
            (&[0xe8, 0, 0, 0, 0], Some(&[(0x2ff8, 8)])),
            (&[0xf3, 0xaa], Some(&[(0x2100, 1)])),
            // syscall; pushf
            (&[0x0f, 0x05], None),
            (&[0x9c], None),
        ];
        for (code, writes) in cases {
            let mut host = FakeHost::default();
            host.memory = code.to_vec();
            let registers = Registers {
                rip: FakeHost::MEMORY,
                rbx: 0x2000,
                rdi: 0x2100,
                rsp: 0x3000,
                ..Registers::default()
            };
            let machine = Machine { registers, bases: (0x7000, 0), extended: 0 };
            let mut decode = Decode::default();
            match (decode.effects(&mut host, &machine), writes) {
                (Effects::Ordinary(_), Some(writes)) => {
                    // A repeated instruction may name a place twice.
                    decode.writes.dedup();
                    assert_eq!(decode.writes, writes, "{code:x?}");
                }
                (Effects::Unknown, None) => {}
                (effects, _) => panic!("{code:x?}: {effects:?}"),
            }
        }
    }
}
