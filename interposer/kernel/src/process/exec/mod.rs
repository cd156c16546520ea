//! Loading a program: what execve(2) does once its arguments are read.
//!
//! Everything that can fail for the caller happens in [`Image::open`]; [`load`] is past the point of no return.

mod elf;
mod image;
mod preload;
mod stack;
pub(super) use elf::Elf;
pub(super) use image::read_full;
pub use image::{Image, OpenedProgram, load};
