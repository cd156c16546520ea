//! Mail (RFC 5321): all that comes is taken, and goes nowhere.

use std::{io, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{
    stream::Stream,
    talk::{Blow, Form, Heard, Partner, suffer},
    wire::Line,
};
use crate::{
    compile::Mail,
    serving::{Letter, Receipt, Serving},
};

/// Most bytes of a line (RFC 5321, section 4.5.3.1, has 512; those of RFC 4954 are longer).
const LINE_MAX: usize = 12_288;

/// How a session ends.
enum Ending {
    /// It is over.
    Over,
    /// It goes on encrypted.
    Encrypt,
    /// It is reset.
    Reset,
}

/// Takes the mail of a connection that is not encrypted yet.
pub async fn plain(
    line: TcpStream,
    acceptor: TlsAcceptor,
    mail: &Mail,
    serving: Rc<Serving>,
    index: usize,
) {
    let mut session = Session::new(line, mail, Rc::clone(&serving), index, Encryption::Offered);
    if session.greet().await.is_err() {
        return;
    }
    match session.serve().await {
        Ok(Ending::Encrypt) => {
            // What came before the handshake could be anybody's (RFC 3207, section 4.2).
            if let Ok(line) = acceptor.accept(session.stream.into_line()).await {
                encrypted(line, mail, serving, index, Greeting::Said).await;
            }
        }
        Ok(Ending::Over) => session.stream.close().await,
        Ok(Ending::Reset) => session.stream.reset(),
        Err(_) => {}
    }
}

/// Whether the service has said who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// It has.
    Said,
    /// It has not.
    Due,
}

/// Takes the mail of a connection that is encrypted.
pub async fn encrypted(
    line: impl Line,
    mail: &Mail,
    serving: Rc<Serving>,
    index: usize,
    greeting: Greeting,
) {
    let mut session = Session::new(line, mail, serving, index, Encryption::There);
    if greeting == Greeting::Due && session.greet().await.is_err() {
        return;
    }
    match session.serve().await {
        Ok(Ending::Reset) => session.stream.reset(),
        Ok(Ending::Over | Ending::Encrypt) => session.stream.close().await,
        Err(_) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    There,
    Offered,
}

/// A connection, and what it has said of a mail.
struct Session<'a, S: Line> {
    stream: Stream<S>,
    mail: &'a Mail,
    serving: Rc<Serving>,
    index: usize,
    encryption: Encryption,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a, S: Line> Session<'a, S> {
    fn new(
        line: S,
        mail: &'a Mail,
        serving: Rc<Serving>,
        index: usize,
        encryption: Encryption,
    ) -> Self {
        let stream = Stream::new(line);
        Self { stream, mail, serving, index, encryption, user: None, from: None, to: Vec::new() }
    }

    async fn greet(&mut self) -> io::Result<()> {
        let words = format!("220 {} takes mail\r\n", self.serving.service.hosts[0]);
        self.stream.write(words.as_bytes()).await
    }

    async fn answer(&mut self, words: &str) -> io::Result<()> {
        self.stream.write(format!("{words}\r\n").as_bytes()).await
    }

    /// The next line as text.
    async fn line(&mut self) -> io::Result<Option<String>> {
        Ok(match self.stream.line(LINE_MAX).await? {
            Heard::This(line) => Some(String::from_utf8_lossy(&line).into_owned()),
            Heard::End => None,
        })
    }

    async fn serve(&mut self) -> io::Result<Ending> {
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.capabilities().await?,
                "HELO" => {
                    let words = format!("250 {}", self.serving.service.hosts[0]);
                    self.answer(&words).await?;
                }
                "STARTTLS" if self.encryption == Encryption::Offered => {
                    self.answer("220 2.0.0 go on").await?;
                    return Ok(Ending::Encrypt);
                }
                "AUTH" => self.login(rest).await?,
                "MAIL" => self.sender(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => {
                    if let Some(ending) = self.data().await? {
                        return Ok(ending);
                    }
                }
                "RSET" => {
                    self.forget();
                    self.answer("250 2.0.0 it is forgotten").await?;
                }
                "NOOP" => self.answer("250 2.0.0 so be it").await?,
                "VRFY" => self.answer("252 2.1.5 send it and see").await?,
                "QUIT" => {
                    self.answer("221 2.0.0 farewell").await?;
                    return Ok(Ending::Over);
                }
                _ => self.answer("500 5.5.1 there is no such command").await?,
            }
        }
        Ok(Ending::Over)
    }

    async fn capabilities(&mut self) -> io::Result<()> {
        let size = format!("SIZE {}", self.mail.size_max);
        let mut lines = vec![self.serving.service.hosts[0].clone()];
        lines.extend(["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"].map(Into::into));
        if self.encryption == Encryption::Offered {
            lines.push("STARTTLS".into());
        }
        lines.push("AUTH PLAIN LOGIN".into());
        let all: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        self.answer(&format!("{all}250 {size}")).await
    }

    /// Who says who they are is believed (RFC 4954).
    async fn login(&mut self, rest: &str) -> io::Result<()> {
        let (way, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let asked: &[&str] = match way.to_ascii_uppercase().as_str() {
            "PLAIN" => &["334 "],
            // `Username:` and `Password:`.
            "LOGIN" => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            _ => return self.answer("504 5.5.4 there is no such way to log in").await,
        };
        let mut said = Vec::new();
        if !first.is_empty() {
            said.push(first.to_owned());
        }
        while said.len() < asked.len() {
            self.answer(asked[said.len()]).await?;
            let Some(line) = self.line().await? else { return Ok(()) };
            said.push(line);
        }
        let decoded = STANDARD.decode(&said[0]).unwrap_or_default();
        let text = String::from_utf8_lossy(&decoded).into_owned();
        // Of PLAIN it is who is meant, who logs in, and the password, with zeros between (RFC 4616).
        let user = if asked.len() == 1 { text.split('\0').nth(1) } else { Some(text.as_str()) };
        match user.filter(|user| !user.is_empty()) {
            None => self.answer("535 5.7.8 this is no name").await,
            Some(user) => {
                self.user = Some(user.to_owned());
                self.answer("235 2.7.0 welcome").await
            }
        }
    }

    async fn sender(&mut self, rest: &str) -> io::Result<()> {
        if self.mail.needs_login && self.user.is_none() {
            return self.answer("530 5.7.0 who are you?").await;
        }
        match address(rest, "FROM:") {
            None => self.answer("501 5.5.4 as in MAIL FROM:<a@b.test>").await,
            Some(from) => {
                self.from = Some(from);
                self.to.clear();
                self.answer("250 2.1.0 right").await
            }
        }
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.answer("503 5.5.1 MAIL comes before RCPT").await;
        }
        match address(rest, "TO:") {
            None => self.answer("501 5.5.4 as in RCPT TO:<a@b.test>").await,
            Some(to) if self.mail.refuse.iter().any(|text| text.holds([to.as_str()])) => {
                self.answer("550 5.1.1 there is nobody of that name").await
            }
            Some(to) => {
                self.to.push(to);
                self.answer("250 2.1.5 right").await
            }
        }
    }

    /// How the session ends, if it does.
    async fn data(&mut self) -> io::Result<Option<Ending>> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            self.answer("503 5.5.1 MAIL and RCPT come before DATA").await?;
            return Ok(None);
        };
        self.answer("354 until a dot alone").await?;
        let mut text = Vec::new();
        loop {
            let Heard::This(line) = self.stream.line(LINE_MAX).await? else {
                return Ok(Some(Ending::Over));
            };
            if line == "." {
                break;
            }
            if text.len() as u64 <= self.mail.size_max {
                // A dot at the start of a line is doubled (RFC 5321, section 4.5.2).
                text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                text.extend_from_slice(b"\r\n");
            }
        }
        let to = std::mem::take(&mut self.to);
        self.forget();
        if text.len() as u64 > self.mail.size_max {
            self.answer("552 5.3.4 this is too much").await?;
            return Ok(None);
        }
        let user = self.user.clone();
        match self.serving.mail(self.index, Letter { from, to, user, text: text.into() }) {
            Receipt::Reply(reply) => self.stream.write(&reply).await.map(|()| None),
            Receipt::Spoilt(spoilt) => {
                Ok(match suffer(spoilt, Form::Text, &mut self.stream, &mut 0).await? {
                    None => None,
                    Some(Blow::Reset) => Some(Ending::Reset),
                    Some(Blow::End | Blow::Garbage) => Some(Ending::Over),
                    Some(Blow::Silence) => {
                        self.stream.fall_silent().await?;
                        Some(Ending::Over)
                    }
                })
            }
        }
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

/// The address behind a word, as in `FROM:<a@b.test> SIZE=10`.
fn address(text: &str, word: &str) -> Option<String> {
    let (start, rest) = text.split_at_checked(word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let (address, _) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    Some(address.to_owned())
}
