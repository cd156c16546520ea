//! Where conversations are held that are not HTTP.

use std::sync::Arc;

use simrun_config::{Spanned, Wrong};

use super::{
    Protocol, Realm, Script,
    script::{self, Manner},
};
use crate::{
    answer::{Files, Templates},
    file::{Mock, Smtp, Stream, WebSocket as FileWebSocket},
    matching::Text,
};

/// A port, and what is said there.
#[derive(Clone, Debug)]
pub struct Talk {
    /// Its name, which is that of a route for whoever expects something.
    pub name: String,
    /// The port.
    pub port: u16,
    /// What.
    pub kind: Kind,
}

/// What is said at a port.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A conversation with each who connects, encrypted or not.
    Tcp(Script, bool),
    /// A conversation with each address.
    Udp(Script),
    /// Mail is taken, with encryption from the start or not.
    Mail(Arc<Mail>, bool),
}

/// What is said over WebSocket.
#[derive(Clone, Debug)]
pub struct WebSocket {
    /// Protocols that are spoken.
    pub protocols: Vec<String>,
    /// What.
    pub script: Script,
}

/// Reads what is said over WebSocket.
///
/// # Errors
/// The first thing that cannot be.
pub fn websocket(
    given: &FileWebSocket,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<WebSocket, Wrong> {
    let script = script::compile(&given.script, Manner::Messages, templates, files)?;
    Ok(WebSocket { protocols: given.protocols.0.clone(), script })
}

/// Reads what is said over a call of gRPC.
///
/// # Errors
/// The first thing that cannot be.
pub fn stream(
    given: &Stream,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<Script, Wrong> {
    script::compile(&given.script, Manner::Messages, templates, files)
}

/// How mail is taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Whether who sends must say who they are.
    pub needs_login: bool,
    /// Recipients that are refused.
    pub refuse: Vec<Text>,
    /// Most bytes of a mail.
    pub size_max: u64,
}

impl Kind {
    /// What can go wrong.
    pub fn realm(&self) -> Realm {
        match self {
            Self::Tcp(..) => Realm::Stream,
            Self::Udp(_) => Realm::Datagrams,
            Self::Mail(..) => Realm::Mail,
        }
    }

    /// What is spoken.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Tcp(_, false) => Protocol::Tcp,
            Self::Tcp(_, true) => Protocol::Tls,
            Self::Udp(_) => Protocol::Udp,
            Self::Mail(_, false) => Protocol::Smtp,
            Self::Mail(_, true) => Protocol::Smtps,
        }
    }
}

/// The route of mail, as expectations name it.
const MAIL: &str = "mail";
/// Where mail is taken if nothing else is said (RFC 5321, section 4.5.4.2, and RFC 6409, section 3.1).
const MAIL_PORTS: [u16; 2] = [25, 587];
/// Most bytes of a mail if nothing else is said.
const MAIL_MAX: u64 = 10 << 20;

/// Reads where a service holds conversations, and which.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(
    mock: &Mock,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<Vec<Talk>, Wrong> {
    let mut talks: Vec<(Spanned<u16>, Talk)> = Vec::new();
    let mut add = |name: &str, port: &Spanned<u16>, kind| {
        let talk = Talk { name: name.into(), port: port.value, kind };
        talks.push((port.clone(), talk));
    };
    for (name, tcp) in mock.tcp.iter().flat_map(|all| &all.0) {
        let script = script::compile(&tcp.script, Manner::Stream, templates, files)?;
        add(name, &tcp.port, Kind::Tcp(script, tcp.tls));
    }
    for (name, udp) in mock.udp.iter().flat_map(|all| &all.0) {
        let script = script::compile(&udp.script, Manner::Messages, templates, files)?;
        add(name, &udp.port, Kind::Udp(script));
    }
    if let Some(smtp) = &mock.smtp {
        let mail = Arc::new(mail(smtp)?);
        let usual = MAIL_PORTS.map(|value| Spanned { at: smtp.at, value });
        let are_said = !smtp.ports.is_empty() || !smtp.tls_ports.is_empty();
        for port in if are_said { &smtp.ports[..] } else { &usual } {
            add(MAIL, port, Kind::Mail(Arc::clone(&mail), false));
        }
        for port in smtp.tls_ports.iter() {
            add(MAIL, port, Kind::Mail(Arc::clone(&mail), true));
        }
    }
    for (index, (port, talk)) in talks.iter().enumerate() {
        let is_udp = |talk: &Talk| matches!(talk.kind, Kind::Udp(_));
        let same =
            |(_, other): &(_, Talk)| other.port == talk.port && is_udp(other) == is_udp(talk);
        if port.value == 0 || talks[..index].iter().any(same) {
            let words = format!("port {} cannot be used, or is there twice", port.value);
            return Err(port.wrong(words));
        }
    }
    Ok(talks.into_iter().map(|(_, talk)| talk).collect())
}

fn mail(smtp: &Smtp) -> Result<Mail, Wrong> {
    let refuse = smtp.refuse.iter().map(Text::of_anything).collect::<Result<_, _>>()?;
    let size_max = smtp.size_max.unwrap_or(MAIL_MAX);
    Ok(Mail { needs_login: smtp.needs_login, refuse, size_max })
}
