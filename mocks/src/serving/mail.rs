//! Mail that a service has taken.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use mail_parser::MessageParser;

use super::{Serving, spoil::Ending as Spoilt};
use crate::{journal, request::Request};

/// A mail as it came.
pub struct Letter {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Who logged in.
    pub user: Option<String>,
    /// Its header and its body.
    pub text: Bytes,
}

impl Serving {
    /// Keeps a mail as a call, unless something goes wrong.
    pub fn mail(self: &Rc<Self>, index: usize, letter: Letter) -> Receipt {
        let parsed = MessageParser::default().parse(&letter.text[..]);
        let text = parsed.as_ref().and_then(|mail| mail.body_text(0));
        let subject = parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default();
        let mut request = Request::of_talk(&self.service.hosts[0]);
        request.method = Method::from_bytes(b"MAIL").unwrap_or_default();
        for (name, value) in parsed.iter().flat_map(|mail| mail.headers_raw()) {
            let unfolded: String = value.trim().lines().collect();
            let field = (HeaderName::try_from(name), HeaderValue::try_from(unfolded));
            if let (Ok(name), Ok(value)) = field {
                request.headers.append(name, value);
            }
        }
        request.replace_body(match text {
            // Lines end as texts of a file do.
            Some(text) => text.replace("\r\n", "\n").into(),
            None => letter.text.clone(),
        });
        let mut talk = self.talk(index, request);
        talk.name_part("from", letter.from.clone());
        talk.name_part("to", letter.to.join(", "));
        talk.name_part("subject", subject.to_owned());
        talk.name_part("user", letter.user.clone().unwrap_or_default());
        let instead = talk.strike();
        let is_done = instead.is_none();
        let problem = if is_done { talk.finish().err() } else { None };
        let receipt = match instead {
            Some(Spoilt::Answer(answer)) => {
                let reply = format!("{} 4.3.0 this goes wrong\r\n", answer.status.as_u16());
                Receipt::Reply(reply.into())
            }
            Some(ending) => Receipt::Spoilt(ending),
            None => {
                let reply = format!("250 2.0.0 taken as {}\r\n", talk.count()).into();
                talk.spoil(&reply).map_or(Receipt::Reply(reply), Receipt::Spoilt)
            }
        };
        let told = journal::Told { subject, answer: receipt.word(), is_done, problem };
        journal::mail(&talk, &letter, self.service.talks[index].port, told);
        receipt
    }
}

/// What is said of a mail.
pub enum Receipt {
    /// This.
    Reply(Bytes),
    /// What a trouble makes of it.
    Spoilt(Spoilt),
}

impl Receipt {
    /// In the words of the journal.
    fn word(&self) -> String {
        match self {
            Self::Reply(reply) => String::from_utf8_lossy(&reply[..REPLY_LEN]).into_owned(),
            Self::Spoilt(Spoilt::Answer(_) | Spoilt::Short(..)) => "250".into(),
            Self::Spoilt(ending) => ending.word().into(),
        }
    }
}

/// Digits of a reply.
const REPLY_LEN: usize = 3;
