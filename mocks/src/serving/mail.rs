//! Mail that a service has taken.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use mail_parser::MessageParser;

use super::Serving;
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
    /// Keeps a mail as a call; how many there were, with it.
    pub fn mail(self: &Rc<Self>, index: usize, letter: Letter) -> u64 {
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
        let problem = talk.finish().err().map(|why| format!("expect: {why}"));
        journal::mail(&talk, &letter, subject, self.service.talks[index].port, problem);
        talk.count()
    }
}
