//! The instructions of the kernel image. Entered from the middle of a program, it keeps the program's vector state as
//! it is by not touching most of it: no instruction encoded with VEX or EVEX, none of the x87 unit, none that depends
//! on the program's rounding mode.

use std::{collections::BTreeMap, fs};

use iced_x86::{
    Code, Decoder, DecoderOptions, EncodingKind, Instruction, Mnemonic, OpKind, Register,
};

struct Segment {
    address: u64,
    bytes: Vec<u8>,
}

/// Executable sections of the image. Sections, not segments: what fills the gaps between is no code.
fn code() -> Vec<Segment> {
    const EXECUTABLE: u64 = 4;
    const PROGRAM_BITS: u32 = 1;
    let image = fs::read(env!("SIMRUN_IMAGE")).expect("the image");
    let word = |at: usize| u64::from_le_bytes(image[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().expect("four bytes"));
    let short = |at: usize| usize::from(u16::from_le_bytes([image[at], image[at + 1]]));
    let (table, size, count) = (word(40) as usize, short(58), short(60));
    (0..count)
        .map(|index| table + index * size)
        .filter(|&at| half(at + 4) == PROGRAM_BITS && word(at + 8) & EXECUTABLE != 0)
        .map(|at| {
            let (offset, len) = (word(at + 24) as usize, word(at + 32) as usize);
            Segment { address: word(at + 16), bytes: image[offset..offset + len].to_vec() }
        })
        .collect()
}

/// What is wrong with an instruction in the image.
fn fault(instruction: &Instruction) -> Option<&'static str> {
    let registers = (0..instruction.op_count())
        .filter(|&index| instruction.op_kind(index) == OpKind::Register)
        .map(|index| instruction.op_register(index));
    match instruction.code().encoding() {
        EncodingKind::Legacy => {}
        _ => return Some("is encoded with VEX, EVEX or the like"),
    }
    for register in registers {
        if register.is_st() || register.is_mm() {
            return Some("uses the x87 unit");
        }
        if register.is_ymm() || register.is_zmm() || register.is_k() {
            return Some("uses a register past xmm");
        }
    }
    if !saves_state(instruction.code())
        && instruction
            .cpuid_features()
            .iter()
            .any(|feature| format!("{feature:?}").starts_with("FPU"))
    {
        return Some("uses the x87 unit");
    }
    None
}

/// Instructions that save or load state whole are how the image keeps it.
fn saves_state(code: Code) -> bool {
    matches!(
        code.mnemonic(),
        Mnemonic::Xsave
            | Mnemonic::Xsave64
            | Mnemonic::Xsavec
            | Mnemonic::Xsavec64
            | Mnemonic::Xrstor
            | Mnemonic::Xrstor64
            | Mnemonic::Fxsave64
            | Mnemonic::Fxrstor64
            | Mnemonic::Ldmxcsr
            | Mnemonic::Stmxcsr
    )
}

#[test]
fn the_image_leaves_vector_state_alone() {
    let segments = code();
    assert!(!segments.is_empty());
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = 0u64;
    for segment in &segments {
        let decoder = Decoder::with_ip(64, &segment.bytes, segment.address, DecoderOptions::NONE);
        for instruction in decoder {
            count += 1;
            assert!(!instruction.is_invalid(), "no instruction at {:#x}", instruction.ip());
            if let Some(fault) = fault(&instruction) {
                faults
                    .entry(format!("{:?} {fault}", instruction.mnemonic()))
                    .or_insert(instruction.ip());
            }
        }
    }
    assert!(count > 10_000, "the image is {count} instructions");
    assert!(faults.is_empty(), "{faults:#x?}");
}

#[test]
fn the_check_finds_what_it_looks_for() {
    let cases: [(&[u8], bool); 6] = [
        (&[0xc5, 0xf8, 0x77], true),                   // vzeroupper
        (&[0xd9, 0xe8], true),                         // fld1
        (&[0x62, 0xf1, 0x7c, 0x48, 0x57, 0xc0], true), // vxorps zmm0, zmm0, zmm0
        (&[0x0f, 0x6f, 0xc1], true),                   // movq mm0, mm1
        (&[0x66, 0x0f, 0xef, 0xc0], false),            // pxor xmm0, xmm0
        (&[0x48, 0x0f, 0xc7, 0x20], false),            // xsavec64 [rax]
    ];
    for (bytes, wrong) in cases {
        let instruction = Decoder::new(64, bytes, DecoderOptions::NONE).decode();
        assert_eq!(fault(&instruction).is_some(), wrong, "{:?}", instruction.mnemonic());
    }
    assert!(Register::YMM0.is_ymm());
}
