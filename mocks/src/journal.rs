//! What is told of each call, as a line of JSON on standard output.

use std::io::{self, Write};

use http::StatusCode;
use serde::Serialize;

use crate::{
    compile::Service,
    request::Request,
    secrets::Secrets,
    server::{Held, TalkEnding},
    serving::{Conversation, Letter, Outbound, Reply},
};

/// A call.
#[derive(Debug, Serialize)]
struct Call<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    /// Bytes of the request's body.
    body_len: usize,
    /// What is in it, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(flatten)]
    end: End<'a>,
}

/// How a call ended, or a conversation.
#[derive(Debug, Serialize)]
struct End<'a> {
    /// Whether what was asked for was done.
    done: bool,
    /// The status, or what came instead of an answer.
    answer: &'a str,
    /// What went wrong on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
    /// Why there is no other answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Tells of a call.
pub fn call(service: &Service, request: &Request, reply: &Reply<'_>) {
    tell(&Call {
        mock: &service.name,
        method: request.method.as_str(),
        url: masked(request, &service.secrets),
        body_len: request.body.len(),
        body: told_body(request, &service.secrets),
        route: reply.route,
        end: End {
            done: reply.is_done,
            answer: reply.ending.word(),
            trouble: reply.trouble,
            problem: reply.problem.as_deref().map(|words| service.secrets.tell_text(words)),
        },
    });
}

/// Most letters of a body that are told.
const BODY_MAX: usize = 4096;

/// What was asked for, without what is secret in it.
fn masked(request: &Request, secrets: &Secrets) -> String {
    let Request { scheme, host, path, query, .. } = request;
    match query.is_empty() {
        true => request.url(),
        false => format!("{scheme}://{host}{path}?{}", secrets.mask_form(query)),
    }
}

/// The body, without what is secret in it.
fn told_body(request: &Request, secrets: &Secrets) -> Option<String> {
    let text = secrets.tell_body(&request.body).filter(|text| !text.is_empty())?;
    Some(shortened(text))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(BODY_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A conversation that was not HTTP.
#[derive(Debug, Serialize)]
struct Talk<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    route: &'a str,
    /// Bytes that came, and that were said.
    heard: usize,
    said: usize,
    #[serde(flatten)]
    end: End<'a>,
}

/// Tells of a conversation.
pub fn talk(held: &Held) {
    let Service { name, secrets, .. } = &held.conversation.serving().service;
    let (done, answer, problem) = match &held.ending {
        TalkEnding::Open => (false, "open", None),
        TalkEnding::Through => (true, "end", None),
        TalkEnding::Reset => (true, "reset", None),
        TalkEnding::Struck(blow, is_done) => (*is_done, blow.word(), None),
        TalkEnding::Left(line) => {
            (false, "left", Some(format!("line {line}: the client has left")))
        }
        TalkEnding::Broken(words) => (false, "broken", Some(words.clone())),
    };
    tell(&Talk {
        mock: name,
        method: held.kind.0,
        url: secrets.tell_text(&held.kind.1),
        route: held.conversation.name(),
        heard: held.heard,
        said: held.said,
        end: End {
            done,
            answer,
            trouble: held.conversation.trouble(),
            problem: problem.map(|words| secrets.tell_text(&words)),
        },
    });
}

/// A mail.
#[derive(Debug, Serialize)]
struct Mail<'a> {
    mock: &'a str,
    method: &'a str,
    url: String,
    route: &'a str,
    from: &'a str,
    to: &'a [String],
    subject: String,
    /// What it says, without its header.
    text: String,
    /// Bytes of it all.
    body_len: usize,
    #[serde(flatten)]
    end: End<'a>,
}

/// What became of a mail.
pub struct Told<'a> {
    /// Its subject.
    pub subject: &'a str,
    /// The number of the reply, or what came instead of one.
    pub answer: String,
    /// Whether it was taken.
    pub is_done: bool,
    /// Why it cannot be counted.
    pub problem: Option<String>,
}

/// Tells of a mail.
pub fn mail(talk: &Conversation, letter: &Letter, port: u16, told: Told<'_>) {
    let Service { name, secrets, .. } = &talk.serving().service;
    tell(&Mail {
        mock: name,
        method: talk.request().method.as_str(),
        url: format!("smtp://{}:{port}", talk.request().host),
        route: talk.name(),
        from: &letter.from,
        to: &letter.to,
        subject: secrets.tell_text(told.subject),
        text: shortened(secrets.tell_text(talk.request().text())),
        body_len: letter.text.len(),
        end: End {
            done: told.is_done,
            answer: &told.answer,
            trouble: talk.trouble(),
            problem: told.problem.map(|why| format!("expect: {why}")),
        },
    });
}

/// A request that a service made by itself.
#[derive(Debug, Serialize)]
struct Made<'a> {
    mock: &'a str,
    method: &'a str,
    webhook: String,
    /// How often it was made before.
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Tells of a request that a service made by itself.
pub fn webhook(
    service: &Service,
    outbound: &Outbound,
    attempt: u32,
    result: &Result<StatusCode, String>,
) {
    tell(&Made {
        mock: &service.name,
        method: outbound.method.as_str(),
        webhook: service.secrets.tell_text(&outbound.url),
        attempt,
        answer: result.as_ref().ok().map(StatusCode::as_u16),
        problem: result.as_ref().err().map(String::as_str),
    });
}

fn tell(entry: &impl Serialize) {
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    // Nobody may listen any more.
    let _ = io::stdout().write_all(&line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let request = Request::read("GET /a?api_key=x&b=c&Token=y\nhost: h.test");
        assert_eq!(
            masked(&request, &Secrets::default()),
            "http://h.test/a?api_key=***&b=c&Token=***"
        );
    }
}
