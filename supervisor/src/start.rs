//! From the C library to simrun.
//!
//! What std does before a Rust `main` takes as long as to start a C program: to guard the stack it reads what is mapped and
//! maps a stack for signals. It also brings libgcc_s, which asks the processor for its features, and in a virtual machine
//! each question is an exit. simrun starts often, so it begins without either and does what else it needs by itself.

use std::process;

// The unwinder that std refers to, linked in.
#[link(name = "gcc_eh")]
unsafe extern "C" {}

/// What the C library calls. Arguments and environment are known to std all the same.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, expect(dead_code))]
extern "C" fn main() -> libc::c_int {
    open_standard_streams();
    // A closed pipe is an error of write(2) then.
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // Not by returning: what is left in the buffer of standard output has to be written.
    process::exit(crate::simrun().into())
}

/// Opens those that simrun was started without, or the next files would be taken for them.
fn open_standard_streams() {
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: plain calls. open(2) gives the lowest free number, which is this one.
        unsafe {
            if libc::fcntl(stream, libc::F_GETFD) < 0 {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}

/// The two functions of the C library's mathematics that anything here calls: without them it need not be loaded.
mod mathematics {
    /// `pow(3)`.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    #[cfg_attr(test, expect(dead_code))]
    extern "C" fn pow(base: f64, exponent: f64) -> f64 {
        libm::pow(base, exponent)
    }

    /// `log(3)`.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    #[cfg_attr(test, expect(dead_code))]
    extern "C" fn log(value: f64) -> f64 {
        libm::log(value)
    }
}
