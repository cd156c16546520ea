//! The kernel image: mapped at the same place into every simulated process, it is where their system calls land.
//!
//! This crate is the thin unsafe shell around `simrun-kernel`:
//! - [`start`]: from the supervisor's child to the first program.
//! - [`gate`]: the one page from which host system calls are allowed.
//! - [`filter`]: the seccomp filter that makes every other system call a trap.
//! - [`trap`]: from a host signal to the kernel and back.
//! - [`patched`]: from a patched call site to the kernel and back, without a trap.
//! - [`frame`]: the host's signal frame.
//! - [`token`]: handing the right to run from one host process to another.
//! - [`shell`]: what the kernel asks of the real machine; [`nearby`]: paths, [`closing`]: closing, [`code`]: writing over code.
//! - [`memory`]: the kernel's heap, and the memory routines that a C library would bring.
//! - [`state`]: the statics that all processes share, and the few words that each has of its own.
//! - [`steps`]: letting a thread go on step by step.
//! - [`supervisor`]: calling the supervisor.
//! - [`last_words`]: what is left of a panic.
#![no_std]
#![no_main]
extern crate alloc;

mod closing;
mod code;
mod filter;
mod frame;
mod gate;
mod last_words;
mod memory;
mod nearby;
mod patched;
mod shell;
mod start;
mod state;
mod steps;
mod supervisor;
mod token;
mod trap;
mod user_copy;
