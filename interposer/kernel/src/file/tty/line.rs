//! The line discipline: what becomes of bytes typed and bytes written (drivers/tty/n_tty.c).

use alloc::{collections::VecDeque, vec::Vec};

use linux_raw_sys::general as raw;

use crate::uapi::termios::{InputModes, LocalModes, OutputModes, Termios};

/// Most bytes of input that wait to be read (`N_TTY_BUF_SIZE`).
pub const INPUT_MAX: usize = 4096;

/// What typing a special character asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// SIGINT to the foreground.
    Interrupt,
    /// SIGQUIT to the foreground.
    Quit,
    /// SIGTSTP to the foreground.
    Suspend,
}

/// What a read finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// These bytes; none for the end of file.
    Bytes(Vec<u8>),
    /// Nothing yet.
    Nothing,
}

/// The state of one terminal's line.
#[derive(Debug, Default)]
pub struct Line {
    /// Its settings.
    pub termios: Termios,
    /// Whole lines, or in non-canonical mode whatever came; an empty one is an end of file.
    ready: VecDeque<Vec<u8>>,
    /// The line being typed.
    typed: Vec<u8>,
    /// Whether the next byte has no special meaning (`VLNEXT`).
    literal: bool,
}

/// As `^C` shows a control character.
fn shown(byte: u8, local: LocalModes) -> Vec<u8> {
    let control = byte < 32 && byte != b'\n' && byte != b'\t' || byte == 127;
    if control && local.contains(LocalModes::ECHOCTL) {
        [b'^', byte ^ 0x40].into()
    } else {
        [byte].into()
    }
}

impl Line {
    fn is_canonical(&self) -> bool {
        self.termios.local().contains(LocalModes::ICANON)
    }

    fn has(&self, mode: LocalModes) -> bool {
        self.termios.local().contains(mode)
    }

    /// Bytes that wait to be read.
    pub fn len(&self) -> usize {
        let waiting = self.ready.iter().map(Vec::len).sum::<usize>();
        if self.is_canonical() { waiting } else { waiting + self.typed.len() }
    }

    /// Whether a read would not wait.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty() || (!self.is_canonical() && !self.typed.is_empty())
    }

    /// Whether another byte can be typed. In canonical mode it always can: what is too much is dropped.
    pub fn has_room(&self) -> bool {
        self.is_canonical() || self.len() < INPUT_MAX
    }

    /// Forgets all input.
    pub fn flush(&mut self) {
        self.ready.clear();
        self.typed.clear();
    }

    /// Takes a typed byte; what it shows goes to `echo`.
    pub fn take(&mut self, byte: u8, echo: &mut VecDeque<u8>) -> Option<Key> {
        let input = self.termios.input();
        let byte = if input.contains(InputModes::ISTRIP) { byte & 0x7f } else { byte };
        if core::mem::take(&mut self.literal) {
            self.insert(byte, echo);
            return None;
        }
        let byte = match byte {
            b'\r' if input.contains(InputModes::IGNCR) => return None,
            b'\r' if input.contains(InputModes::ICRNL) => b'\n',
            b'\n' if input.contains(InputModes::INLCR) => b'\r',
            byte => byte,
        };
        if let Some(key) = self.key(byte) {
            if !self.has(LocalModes::NOFLSH) {
                // What the screen has not shown goes, too (`isig` in drivers/tty/n_tty.c).
                self.flush();
                echo.clear();
            }
            self.echo_shown(byte, echo);
            return Some(key);
        }
        let flow = self.termios.is(byte, raw::VSTART) || self.termios.is(byte, raw::VSTOP);
        if flow && input.contains(InputModes::IXON) {
            return None;
        }
        if self.is_canonical() {
            self.edit(byte, echo);
        } else {
            self.insert(byte, echo);
        }
        None
    }

    fn key(&self, byte: u8) -> Option<Key> {
        if !self.has(LocalModes::ISIG) {
            return None;
        }
        let keys =
            [(raw::VINTR, Key::Interrupt), (raw::VQUIT, Key::Quit), (raw::VSUSP, Key::Suspend)];
        keys.into_iter().find(|(which, _)| self.termios.is(byte, *which)).map(|(_, key)| key)
    }

    fn edit(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        let extended = self.has(LocalModes::IEXTEN);
        let is = |which| self.termios.is(byte, which);
        if is(raw::VERASE) {
            self.erase_character(echo);
        } else if extended && is(raw::VWERASE) {
            self.erase_word(echo);
        } else if is(raw::VKILL) {
            self.kill(echo);
        } else if extended && is(raw::VLNEXT) {
            self.literal = true;
        } else if is(raw::VEOF) {
            self.end_line();
        } else if byte == b'\n' || is(raw::VEOL) || (extended && is(raw::VEOL2)) {
            if self.has(LocalModes::ECHO) || (byte == b'\n' && self.has(LocalModes::ECHONL)) {
                self.process(byte, echo);
            }
            self.typed.push(byte);
            self.end_line();
        } else {
            self.insert(byte, echo);
        }
    }

    fn end_line(&mut self) {
        let line = core::mem::take(&mut self.typed);
        self.ready.push_back(line);
    }

    fn insert(&mut self, byte: u8, echo: &mut VecDeque<u8>) {
        if self.typed.len() + 1 >= INPUT_MAX {
            return;
        }
        self.echo_shown(byte, echo);
        self.typed.push(byte);
    }

    fn echo_shown(&self, byte: u8, echo: &mut VecDeque<u8>) {
        if self.has(LocalModes::ECHO) {
            for byte in shown(byte, self.termios.local()) {
                self.process(byte, echo);
            }
        }
    }

    fn erase_character(&mut self, echo: &mut VecDeque<u8>) {
        let Some(mut byte) = self.typed.pop() else { return };
        if self.termios.input().contains(InputModes::IUTF8) {
            while byte & 0xc0 == 0x80 {
                let Some(before) = self.typed.pop() else { break };
                byte = before;
            }
        }
        if self.has(LocalModes::ECHO) && self.has(LocalModes::ECHOE) {
            for _ in shown(byte, self.termios.local()) {
                echo.extend(b"\x08 \x08");
            }
        }
    }

    fn erase_word(&mut self, echo: &mut VecDeque<u8>) {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        while self.typed.last().is_some_and(|byte| !is_word(byte)) {
            self.erase_character(echo);
        }
        while self.typed.last().is_some_and(is_word) {
            self.erase_character(echo);
        }
    }

    fn kill(&mut self, echo: &mut VecDeque<u8>) {
        if self.has(LocalModes::ECHOKE) && self.has(LocalModes::ECHOE) {
            while !self.typed.is_empty() {
                self.erase_character(echo);
            }
            return;
        }
        self.typed.clear();
        if self.has(LocalModes::ECHO) && self.has(LocalModes::ECHOK) {
            self.process(b'\n', echo);
        }
    }

    /// Takes input of at most `max` bytes: a line or part of it in canonical mode.
    pub fn read(&mut self, max: usize) -> Input {
        if self.is_canonical() {
            let Some(line) = self.ready.front_mut() else { return Input::Nothing };
            if line.len() > max {
                return Input::Bytes(line.drain(..max).collect());
            }
            return Input::Bytes(self.ready.pop_front().unwrap_or_default());
        }
        let least = usize::from(self.termios.characters[raw::VMIN as usize]).min(max);
        if self.len() < least {
            return Input::Nothing;
        }
        let mut bytes: Vec<u8> = self.ready.drain(..).flatten().collect();
        bytes.append(&mut self.typed);
        if bytes.len() > max {
            self.typed = bytes.split_off(max);
        }
        Input::Bytes(bytes)
    }

    /// Puts a byte that a program writes, or that is echoed, onto the screen.
    pub fn process(&self, byte: u8, screen: &mut VecDeque<u8>) {
        let modes = self.termios.output();
        match byte {
            _ if !modes.contains(OutputModes::OPOST) => screen.push_back(byte),
            b'\n' if modes.contains(OutputModes::ONLCR) => screen.extend(b"\r\n"),
            b'\r' if modes.contains(OutputModes::OCRNL) => screen.push_back(b'\n'),
            byte => screen.push_back(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn typing(line: &mut Line, text: &[u8]) -> (String, Vec<Key>) {
        let mut echo = VecDeque::new();
        let keys = text.iter().filter_map(|&byte| line.take(byte, &mut echo)).collect();
        (String::from_utf8(echo.into_iter().collect()).unwrap(), keys)
    }

    #[test]
    fn canonical_input_comes_by_lines_after_editing() {
        /// What is typed, what the screen shows, what is read.
        type Case = (&'static [u8], &'static str, &'static [&'static [u8]]);
        let cases: [Case; 8] = [
            (b"ab\r", "ab\r\n", &[b"ab\n"]),
            (b"ab", "ab", &[]),
            (b"abc\x7fd\n", "abc\x08 \x08d\r\n", &[b"abd\n"]),
            (b"one two\x17x\n", "one two\x08 \x08\x08 \x08\x08 \x08x\r\n", &[b"one x\n"]),
            (b"ab\x15c\n", "ab\x08 \x08\x08 \x08c\r\n", &[b"c\n"]),
            (b"\x04", "", &[b""]),
            (b"ab\x04c\n", "abc\r\n", &[b"ab", b"c\n"]),
            (b"\x16\x03\n", "^C\r\n", &[b"\x03\n"]),
        ];
        for (text, echo, lines) in cases {
            let mut line = Line::default();
            assert_eq!(typing(&mut line, text).0, echo, "{text:?}");
            for expected in lines {
                assert_eq!(line.read(100), Input::Bytes(expected.to_vec()), "{text:?}");
            }
            assert_eq!(line.read(100), Input::Nothing, "{text:?}");
        }
    }

    #[test]
    fn special_characters_are_keys_and_drop_what_was_typed() {
        let mut line = Line::default();
        let (echo, keys) = typing(&mut line, b"abc\x03\x1c\x1ad\n");
        assert_eq!(echo, "^Zd\r\n");
        assert_eq!(keys, [Key::Interrupt, Key::Quit, Key::Suspend]);
        assert_eq!(line.read(100), Input::Bytes(b"d\n".to_vec()));
    }

    #[test]
    fn raw_input_comes_as_it_is() {
        let mut line = Line::default();
        let modes = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        line.termios.local &= !modes.bits();
        line.termios.input = 0;
        assert_eq!(line.read(10), Input::Nothing);
        assert_eq!(typing(&mut line, b"a\x03\rb"), (String::new(), Vec::new()));
        assert_eq!(line.read(2), Input::Bytes(b"a\x03".to_vec()));
        assert_eq!(line.read(10), Input::Bytes(b"\rb".to_vec()));
        line.termios.characters[raw::VMIN as usize] = 0;
        assert_eq!(line.read(10), Input::Bytes(Vec::new()));
    }

    #[test]
    fn a_line_longer_than_the_buffer_loses_its_end() {
        let mut line = Line::default();
        typing(&mut line, &[b'x'; 5000]);
        typing(&mut line, b"\n");
        let Input::Bytes(bytes) = line.read(10_000) else { panic!("a line is ready") };
        assert_eq!(bytes.len(), INPUT_MAX);
    }
}
