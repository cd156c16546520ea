//! From what a file says of answers to what can be sent.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, StatusCode, header};
use simrun_abi::faults::Quantity;
use simrun_config::{Json as FileJson, Named, OneOrMany, Spanned, WordOr, Wrong, units::Unit};

use super::{
    Templates,
    template::{Json, Text},
};
use crate::{
    file::{Answer as FileAnswer, Chunk, Event, Turn},
    grpc,
    matching::header_name,
};

/// The answers of a route.
#[derive(Clone, Debug)]
pub struct Answers {
    /// At least one.
    pub all: Vec<Answer>,
    /// Which of them is next.
    pub turn: Turn,
}

/// An answer, ready to be filled in and sent.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How long until it is sent.
    pub delay: Option<Quantity>,
    /// Its status.
    pub status: StatusCode,
    /// Its header.
    pub headers: Vec<(HeaderName, Text)>,
    /// Its body.
    pub body: Body,
    /// Fields after the body.
    pub trailers: Vec<(HeaderName, Text)>,
}

/// A body.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Empty,
    /// All at once.
    Whole(Content),
    /// One part after the other.
    Parts(Vec<Part>),
}

/// What a body or a part of one holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Bytes.
    Bytes(Bytes),
    /// Text or JSON with nothing to fill in.
    Fixed(Bytes),
    /// Text.
    Text(Text),
    /// JSON.
    Json(Json),
}

impl Content {
    /// Whether it is the same for all.
    fn is_fixed(&self) -> bool {
        matches!(self, Self::Bytes(_) | Self::Fixed(_))
    }
}

impl Answers {
    /// Whether nothing of a request, and nothing that is remembered, is in them.
    pub fn are_fixed(&self) -> bool {
        let is_plain = |text: &Text| matches!(text, Text::Plain(_));
        let is_fixed = |part: &Part| {
            part.event.iter().flatten().all(|(_, text)| is_plain(text))
                && part.content.as_ref().is_none_or(Content::is_fixed)
        };
        self.all.iter().all(|answer| {
            answer.headers.iter().chain(&answer.trailers).all(|(_, text)| is_plain(text))
                && match &answer.body {
                    Body::Empty => true,
                    Body::Whole(content) => content.is_fixed(),
                    Body::Parts(parts) => parts.iter().all(is_fixed),
                }
        })
    }
}

/// A part of a body.
#[derive(Clone, Debug)]
pub struct Part {
    /// How long after what comes before it.
    pub after: Option<Quantity>,
    /// Its fields, if it is an event of a stream of them.
    pub event: Option<Vec<(&'static str, Text)>>,
    /// What it holds.
    pub content: Option<Content>,
}

/// Reads files that bodies are in. The paths are those of the file of mocks.
pub type Files<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

/// Where the answers of a service are read.
struct Reader<'a> {
    templates: &'a mut Templates,
    files: Files<'a>,
}

/// Reads the answers of a route.
///
/// # Errors
/// The first thing that cannot be sent.
pub fn compile(
    answers: &OneOrMany<Spanned<FileAnswer>>,
    turn: Turn,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<Answers, Wrong> {
    let mut reader = Reader { templates, files };
    let mut all =
        answers.iter().map(|answer| reader.answer(answer)).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        all.push(reader.answer(&Spanned::default())?);
    }
    Ok(Answers { all, turn })
}

/// Reads something that is said, and how long after what comes before it.
///
/// # Errors
/// When there is nothing in it, or it cannot be sent.
pub fn said(
    said: &Spanned<WordOr<Chunk>>,
    templates: &mut Templates,
    files: Files<'_>,
) -> Result<(Option<Quantity>, Content), Wrong> {
    let chunk = match &said.value {
        WordOr::Word(word) => {
            return Ok((None, Content::Text(templates.text(said.at, word)?)));
        }
        WordOr::More(more) => Spanned { at: said.at, value: more.clone() },
    };
    let part = Reader { templates, files }.chunk(&chunk)?;
    Ok((part.after, part.content.unwrap_or(Content::Bytes(Bytes::new()))))
}

/// What may stand for a content: one of these.
struct Given<'a> {
    text: &'a Option<Spanned<String>>,
    json: &'a Option<Spanned<FileJson>>,
    base64: &'a Option<Spanned<String>>,
}

impl Reader<'_> {
    fn answer(&mut self, answer: &Spanned<FileAnswer>) -> Result<Answer, Wrong> {
        let given = [
            answer.text.is_some(),
            answer.json.is_some(),
            answer.base64.is_some(),
            answer.file.is_some(),
            answer.chunks.is_some(),
            answer.events.is_some(),
        ];
        if given.into_iter().filter(|&given| given).count() > 1 {
            let words = "there is one body: `text`, `json`, `base64`, `file`, `chunks` or `events`";
            return Err(answer.wrong(words));
        }
        let (body, kind) = self.body(answer)?;
        let mut headers = self.fields(&answer.headers)?;
        let mut add = |name, value: Text| {
            if !headers.iter().any(|(known, _)| *known == name) {
                headers.push((name, value));
            }
        };
        if let Some(kind) = kind {
            add(header::CONTENT_TYPE, Text::Plain(kind.into()));
        }
        if let Some(to) = &answer.redirect {
            add(header::LOCATION, self.templates.text(to.at, to)?);
        }
        let default = if answer.redirect.is_some() { StatusCode::FOUND } else { StatusCode::OK };
        let trailers = answer
            .trailers
            .iter()
            .flat_map(|all| &all.0)
            .map(|(name, text)| Ok((header_name(name)?, self.templates.text(text.at, text)?)));
        let mut trailers = trailers.collect::<Result<Vec<_>, Wrong>>()?;
        if let Some(grpc) = &answer.grpc {
            trailers.push((grpc::FIELD, Text::Plain((grpc.status as u16).to_string())));
            if let Some(message) = &grpc.message {
                trailers.push((grpc::MESSAGE, self.templates.text(message.at, message)?));
            }
        }
        Ok(Answer {
            delay: answer.delay.as_ref().map(simrun_config::Quantity::compile),
            status: answer.status.as_ref().map_or(Ok(default), status)?,
            headers,
            body,
            trailers,
        })
    }

    fn fields(
        &mut self,
        fields: &Option<Named<OneOrMany<Spanned<String>>>>,
    ) -> Result<Vec<(HeaderName, Text)>, Wrong> {
        let mut all = Vec::new();
        for (name, values) in fields.iter().flat_map(|fields| &fields.0) {
            let parsed = header_name(name)?;
            for value in values.iter() {
                all.push((parsed.clone(), self.templates.text(value.at, value)?));
            }
        }
        Ok(all)
    }

    fn body(&mut self, answer: &FileAnswer) -> Result<(Body, Option<&'static str>), Wrong> {
        if let Some(path) = &answer.file {
            return self.file(path, answer.fill);
        }
        if let Some(chunks) = &answer.chunks {
            let parts = chunks.iter().map(|chunk| self.chunk(chunk)).collect::<Result<_, _>>()?;
            return Ok((Body::Parts(parts), None));
        }
        if let Some(events) = &answer.events {
            let parts = events.iter().map(|event| self.event(event)).collect::<Result<_, _>>()?;
            return Ok((Body::Parts(parts), Some("text/event-stream")));
        }
        let given = Given { text: &answer.text, json: &answer.json, base64: &answer.base64 };
        Ok(match self.content(&given)? {
            None => (Body::Empty, None),
            Some((content, kind)) => (Body::Whole(content), kind),
        })
    }

    fn content(&mut self, given: &Given) -> Result<Option<(Content, Option<&'static str>)>, Wrong> {
        if let Some(text) = given.text {
            let content = match self.templates.text(text.at, text)? {
                Text::Plain(text) => Content::Fixed(text.into()),
                text => Content::Text(text),
            };
            return Ok(Some((content, Some("text/plain; charset=utf-8"))));
        }
        if let Some(json) = given.json {
            let content = match self.templates.json(json.at, &json.0)? {
                Json::Plain(value) => Content::Fixed(value.to_string().into()),
                json => Content::Json(json),
            };
            return Ok(Some((content, Some("application/json"))));
        }
        let Some(text) = given.base64 else { return Ok(None) };
        let compact: String = text.split_whitespace().collect();
        let bytes = STANDARD
            .decode(compact)
            .map_err(|error| text.wrong(format!("this is no base64: {error}")))?;
        Ok(Some((Content::Bytes(bytes.into()), Some("application/octet-stream"))))
    }

    fn file(
        &mut self,
        path: &Spanned<String>,
        fill: bool,
    ) -> Result<(Body, Option<&'static str>), Wrong> {
        let read = (self.files)(Path::new(&path.value));
        let bytes =
            read.map_err(|error| path.wrong(format!("`{}` cannot be read: {error}", path.value)))?;
        let content = if fill {
            let text = String::from_utf8(bytes)
                .map_err(|_| path.wrong(format!("`{}` is no text", path.value)))?;
            Content::Text(self.templates.text(path.at, &text)?)
        } else {
            Content::Bytes(bytes.into())
        };
        Ok((Body::Whole(content), Some(kind_of(&path.value))))
    }

    fn chunk(&mut self, chunk: &Spanned<Chunk>) -> Result<Part, Wrong> {
        let given = Given { text: &chunk.text, json: &chunk.json, base64: &chunk.base64 };
        let Some((content, _)) = self.content(&given)? else {
            return Err(chunk.wrong("a chunk has `text`, `json` or `base64`"));
        };
        let after = chunk.after.as_ref().map(simrun_config::Quantity::compile);
        Ok(Part { after, event: None, content: Some(content) })
    }

    fn event(&mut self, event: &Spanned<Event>) -> Result<Part, Wrong> {
        let mut fields = Vec::new();
        for (name, value) in [("event", &event.event), ("id", &event.id)] {
            if let Some(value) = value {
                fields.push((name, self.templates.text(value.at, value)?));
            }
        }
        if let Some(retry) = event.retry {
            fields.push(("retry", Text::Plain((retry.number() / NS_PER_MS).to_string())));
        }
        let given = Given { text: &event.text, json: &event.json, base64: &None };
        let content = self.content(&given)?.map(|(content, _)| content);
        let after = event.after.as_ref().map(simrun_config::Quantity::compile);
        Ok(Part { after, event: Some(fields), content })
    }
}

/// Retry times are in milliseconds.
const NS_PER_MS: u64 = 1_000_000;

fn status(code: &Spanned<u16>) -> Result<StatusCode, Wrong> {
    match StatusCode::from_u16(code.value) {
        // 1xx only announce an answer.
        Ok(status) if !status.is_informational() => Ok(status),
        _ => Err(code.wrong(format!("{} is no status of an answer", code.value))),
    }
}

/// What is in a file, by the end of its name.
fn kind_of(path: &str) -> &'static str {
    match Path::new(path).extension().and_then(|end| end.to_str()) {
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("xml") => "application/xml",
        Some("txt" | "md" | "csv") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}
