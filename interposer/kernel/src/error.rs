//! The errors that a program sees.

use core::fmt;

use linux_raw_sys::errno as raw;

/// A Linux error number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errno(u16);

macro_rules! errnos {
    ($($name:ident)*) => {
        #[allow(missing_docs, reason = "errno(3) describes each")]
        impl Errno {
            $(pub const $name: Self = Self(raw::$name as u16);)*

            /// The symbolic name, for logs; `"E?"` where this kernel never makes it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    _ => "E?",
                }
            }

            /// All that have a name here.
            pub const NAMED: &[Self] = &[$(Self::$name),*];
        }
    };
}

errnos! {
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED ECHILD
    ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDESTADDRREQ EDOM EDQUOT EEXIST EFAULT EFBIG EHOSTUNREACH EIDRM
    EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELIBBAD ELOOP EMFILE EMLINK EMSGSIZE ENAMETOOLONG ENETDOWN
    ENETRESET ENETUNREACH ENFILE ENOBUFS ENODATA ENODEV ENOENT ENOEXEC ENOLCK ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS
    ENOTBLK ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTTY ENXIO EOPNOTSUPP EOVERFLOW EOWNERDEAD
    EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESHUTDOWN ESOCKTNOSUPPORT ESPIPE ESRCH ESTALE
    ETIME ETIMEDOUT ETXTBSY EUSERS EXDEV
}

impl Errno {
    /// The error a host call returned as `-number`; numbers outside 1 to 4095 count as `EIO`.
    #[must_use]
    pub fn from_host(result: isize) -> Self {
        match u16::try_from(result.unsigned_abs()) {
            Ok(number @ 1..=4095) => Self(number),
            _ => Self::EIO,
        }
    }

    /// The error with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// What a failed call leaves in the result register: the number, negated.
    #[must_use]
    pub fn as_result(self) -> u64 {
        (-i64::from(self.0)) as u64
    }

    /// The positive number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a call failed: the number for the program, the reason for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// What the program sees.
    pub errno: Errno,
    /// What the log says; empty where the number says it all.
    pub reason: &'static str,
}

impl Error {
    /// An error with a reason.
    #[must_use]
    pub const fn new(errno: Errno, reason: &'static str) -> Self {
        Self { errno, reason }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self { errno, reason: "" }
    }
}

/// The result of anything a program asked for.
pub type Result<T> = core::result::Result<T, Error>;
