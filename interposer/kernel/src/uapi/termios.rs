//! <asm/termbits.h>, <asm/ioctls.h>, <asm/termios.h>.

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

/// Number of control characters that the kernel knows (`NCCS`).
pub const CONTROL_CHARACTERS: usize = 19;

#[allow(missing_docs, reason = "termios(3) describes each")]
mod modes {
    use linux_raw_sys::general as raw;

    bitflags::bitflags! {
        /// `c_iflag`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct InputModes: u32 {
            const IGNCR = raw::IGNCR;
            const ICRNL = raw::ICRNL;
            const INLCR = raw::INLCR;
            const ISTRIP = raw::ISTRIP;
            const IXON = raw::IXON;
            const IUTF8 = raw::IUTF8;
            const _ = !0;
        }
        /// `c_oflag`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct OutputModes: u32 {
            const OPOST = raw::OPOST;
            const ONLCR = raw::ONLCR;
            const OCRNL = raw::OCRNL;
            const ONLRET = raw::ONLRET;
            const _ = !0;
        }
        /// `c_lflag`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct LocalModes: u32 {
            const ISIG = raw::ISIG;
            const ICANON = raw::ICANON;
            const ECHO = raw::ECHO;
            const ECHOE = raw::ECHOE;
            const ECHOK = raw::ECHOK;
            const ECHONL = raw::ECHONL;
            const ECHOCTL = raw::ECHOCTL;
            const ECHOKE = raw::ECHOKE;
            const NOFLSH = raw::NOFLSH;
            const TOSTOP = raw::TOSTOP;
            const IEXTEN = raw::IEXTEN;
            const _ = !0;
        }
    }
}
pub use modes::{InputModes, LocalModes, OutputModes};

/// `struct termios` as `TCGETS` has it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Termios {
    /// Input modes.
    pub input: u32,
    /// Output modes.
    pub output: u32,
    /// Control modes, speed included.
    pub control: u32,
    /// Local modes.
    pub local: u32,
    /// Line discipline.
    pub discipline: u8,
    /// Special characters.
    pub characters: [u8; CONTROL_CHARACTERS],
}

impl Default for Termios {
    /// What a new pseudo-terminal starts with (`tty_std_termios`, drivers/tty/tty_io.c).
    fn default() -> Self {
        let local = LocalModes::ISIG
            | LocalModes::ICANON
            | LocalModes::ECHO
            | LocalModes::ECHOE
            | LocalModes::ECHOK
            | LocalModes::ECHOCTL
            | LocalModes::ECHOKE
            | LocalModes::IEXTEN;
        Self {
            input: (InputModes::ICRNL | InputModes::IXON).bits(),
            output: (OutputModes::OPOST | OutputModes::ONLCR).bits(),
            control: raw::B38400 | raw::CS8 | raw::CREAD,
            local: local.bits(),
            discipline: 0,
            characters: [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0],
        }
    }
}

impl Termios {
    /// Input modes.
    #[must_use]
    pub fn input(&self) -> InputModes {
        InputModes::from_bits_retain(self.input)
    }

    /// Output modes.
    #[must_use]
    pub fn output(&self) -> OutputModes {
        OutputModes::from_bits_retain(self.output)
    }

    /// Local modes.
    #[must_use]
    pub fn local(&self) -> LocalModes {
        LocalModes::from_bits_retain(self.local)
    }

    /// These, but for what is locked: that stays as it was before (`unset_locked_termios`, drivers/tty/tty_ioctl.c).
    #[must_use]
    pub fn keeping(self, before: &Self, locked: &Self) -> Self {
        let kept = |new: u32, old: u32, locked: u32| new & !locked | old & locked;
        let mut characters = self.characters;
        for (place, character) in characters.iter_mut().enumerate() {
            if locked.characters[place] != 0 {
                *character = before.characters[place];
            }
        }
        Self {
            input: kept(self.input, before.input, locked.input),
            output: kept(self.output, before.output, locked.output),
            control: kept(self.control, before.control, locked.control),
            local: kept(self.local, before.local, locked.local),
            discipline: if locked.discipline != 0 { before.discipline } else { self.discipline },
            characters,
        }
    }

    /// Whether a byte is this special character; NUL switches one off.
    #[must_use]
    pub fn is(&self, byte: u8, which: u32) -> bool {
        byte != 0 && self.characters[which as usize] == byte
    }
}

/// `struct termio` as `TCGETA` has it: the lower halves of the modes, and the first characters.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Termio {
    modes: [u16; 4],
    discipline: u8,
    characters: [u8; 8],
    padding: u8,
}

impl Termio {
    /// What it can hold of modes.
    #[must_use]
    pub fn of(whole: &Termios) -> Self {
        let modes = [whole.input, whole.output, whole.control, whole.local].map(|mode| mode as u16);
        let mut characters = [0; 8];
        characters.copy_from_slice(&whole.characters[..8]);
        Self { modes, discipline: whole.discipline, characters, padding: 0 }
    }

    /// These modes where it has them, and others as they were (`user_termio_to_kernel_termios`).
    #[must_use]
    pub fn over(&self, before: &Termios) -> Termios {
        let join = |high: u32, low: u16| high & 0xffff_0000 | u32::from(low);
        let [input, output, control, local] = self.modes;
        let mut characters = before.characters;
        characters[..8].copy_from_slice(&self.characters);
        Termios {
            input: join(before.input, input),
            output: join(before.output, output),
            control: join(before.control, control),
            local: join(before.local, local),
            discipline: self.discipline,
            characters,
        }
    }
}

/// `struct termios2` as `TCGETS2` has it: speeds as numbers, too.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Termios2 {
    /// All else.
    pub plain: Termios,
    /// Bits in a second, in and out.
    speeds: [u32; 2],
}

/// Speeds by the number that `c_cflag` has of them; those from 16 on are told with `CBAUDEX`.
const SPEEDS: [u32; 31] = [
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400, 57_600,
    115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000,
    2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000,
];

impl Termios2 {
    /// Modes with their speed.
    #[must_use]
    pub fn of(plain: Termios) -> Self {
        let low = plain.control & (raw::CBAUD & !raw::CBAUDEX);
        let number = if plain.control & raw::CBAUDEX == 0 { low } else { low + 15 };
        let speed = SPEEDS.get(number as usize).copied().unwrap_or(0);
        Self { plain, speeds: [speed; 2] }
    }
}

/// `struct winsize`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "ioctl_tty(2) describes each")]
pub struct WindowSize {
    pub rows: u16,
    pub columns: u16,
    pub width: u16,
    pub height: u16,
}

/// Numbers of ioctl(2) requests (ioctl_tty(2)).
#[allow(missing_docs, reason = "ioctl_tty(2) describes each")]
pub mod request {
    pub const TCGETS: u32 = 0x5401;
    pub const TCSETS: u32 = 0x5402;
    pub const TCSETSW: u32 = 0x5403;
    pub const TCSETSF: u32 = 0x5404;
    pub const TCGETA: u32 = 0x5405;
    pub const TCSETA: u32 = 0x5406;
    pub const TCSETAW: u32 = 0x5407;
    pub const TCSETAF: u32 = 0x5408;
    pub const TCSBRK: u32 = 0x5409;
    pub const TCXONC: u32 = 0x540a;
    pub const TCFLSH: u32 = 0x540b;
    pub const TIOCEXCL: u32 = 0x540c;
    pub const TIOCNXCL: u32 = 0x540d;
    pub const TIOCSCTTY: u32 = 0x540e;
    pub const TIOCGPGRP: u32 = 0x540f;
    pub const TIOCSPGRP: u32 = 0x5410;
    pub const TIOCOUTQ: u32 = 0x5411;
    pub const TIOCSTI: u32 = 0x5412;
    pub const TIOCGWINSZ: u32 = 0x5413;
    pub const TIOCSWINSZ: u32 = 0x5414;
    pub const FIONREAD: u32 = 0x541b;
    pub const FIONBIO: u32 = 0x5421;
    pub const TIOCNOTTY: u32 = 0x5422;
    pub const TIOCGETD: u32 = 0x5424;
    pub const TCSBRKP: u32 = 0x5425;
    pub const TIOCGSID: u32 = 0x5429;
    pub const TIOCGPTPEER: u32 = 0x5441;
    pub const TIOCGLCKTRMIOS: u32 = 0x5456;
    pub const TIOCSLCKTRMIOS: u32 = 0x5457;
    pub const FIONCLEX: u32 = 0x5450;
    pub const FIOCLEX: u32 = 0x5451;
    pub const FIOASYNC: u32 = 0x5452;
    pub const FIOSETOWN: u32 = 0x8901;
    pub const SIOCSPGRP: u32 = 0x8902;
    pub const FIOGETOWN: u32 = 0x8903;
    pub const SIOCGPGRP: u32 = 0x8904;
    pub const TIOCGPTN: u32 = 0x8004_5430;
    pub const TIOCSPTLCK: u32 = 0x4004_5431;
    pub const TIOCGPTLCK: u32 = 0x8004_5439;
    pub const TIOCGEXCL: u32 = 0x8004_5440;
    pub const TCGETS2: u32 = 0x802c_542a;
    pub const TCSETS2: u32 = 0x402c_542b;
    pub const TCSETSW2: u32 = 0x402c_542c;
    pub const TCSETSF2: u32 = 0x402c_542d;
    pub const RNDGETENTCNT: u32 = 0x8004_5200;
    pub const FICLONE: u32 = 0x4004_9409;
}
