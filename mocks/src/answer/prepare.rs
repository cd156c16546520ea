//! An answer to one request.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use minijinja::Value;
use simrun_abi::faults::Quantity;
use simrun_kernel::fault::Source;

use super::{
    Draws, Outgoing, Piece, Templates,
    compile::{Answer, Body, Content, Part},
    template::Text,
};
use crate::server::Orders;

/// An answer with all its places filled.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// How long until it is sent.
    pub delay: Duration,
    /// Its status.
    pub status: StatusCode,
    /// Its header.
    pub headers: HeaderMap,
    /// Its body.
    pub pieces: Vec<Piece>,
}

/// What answers are made with.
pub struct Maker<'a> {
    /// Their templates.
    pub templates: &'a Templates,
    /// What places are filled with.
    pub world: Value,
    /// Where times are drawn from.
    pub draws: &'a Draws,
}

impl Maker<'_> {
    /// Draws a time.
    pub fn time(&self, quantity: &Quantity) -> Duration {
        let drawn = self.draws.draw(|stream| Source::new(quantity).next(stream));
        Duration::from_nanos(drawn)
    }

    /// Fields with all their places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn fields(&self, fields: &[(HeaderName, Text)]) -> Result<HeaderMap, String> {
        let mut map = HeaderMap::new();
        for (name, text) in fields {
            let text = self.templates.fill_text(text, &self.world)?;
            let value = HeaderValue::from_str(&text);
            map.append(
                name,
                value.map_err(|_| format!("{name}: {text:?} is no value of a field"))?,
            );
        }
        Ok(map)
    }

    /// A content with all its places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn content(&self, content: &Content) -> Result<Bytes, String> {
        Ok(match content {
            Content::Bytes(bytes) | Content::Fixed(bytes) => bytes.clone(),
            Content::Text(text) => self.templates.fill_text(text, &self.world)?.into(),
            Content::Json(json) => self.templates.fill_json(json, &self.world)?.to_string().into(),
        })
    }

    /// An event of a stream of them (HTML, section 9.2).
    fn event(
        &self,
        fields: &[(&'static str, Text)],
        data: Option<&Content>,
    ) -> Result<Bytes, String> {
        let mut text = String::new();
        for (name, value) in fields {
            let value = self.templates.fill_text(value, &self.world)?;
            text.push_str(&format!("{name}: {value}\n"));
        }
        if let Some(data) = data {
            let bytes = self.content(data)?;
            for line in String::from_utf8_lossy(&bytes).lines() {
                text.push_str(&format!("data: {line}\n"));
            }
        }
        text.push('\n');
        Ok(text.into())
    }

    fn part(&self, part: &Part, pieces: &mut Vec<Piece>) -> Result<(), String> {
        if let Some(after) = &part.after {
            pieces.push(Piece::Pause(self.time(after)));
        }
        pieces.push(Piece::Data(match &part.event {
            Some(fields) => self.event(fields, part.content.as_ref())?,
            None => {
                part.content.as_ref().map_or(Ok(Bytes::new()), |content| self.content(content))?
            }
        }));
        Ok(())
    }

    /// An answer with all its places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn prepare(&self, answer: &Answer) -> Result<Prepared, String> {
        let mut pieces = Vec::new();
        match &answer.body {
            Body::Empty => {}
            Body::Whole(content) => pieces.push(Piece::Data(self.content(content)?)),
            Body::Parts(parts) => {
                for part in parts {
                    self.part(part, &mut pieces)?;
                }
            }
        }
        if !answer.trailers.is_empty() {
            pieces.push(Piece::Trailers(self.fields(&answer.trailers)?));
        }
        Ok(Prepared {
            delay: answer.delay.as_ref().map_or(Duration::ZERO, |delay| self.time(delay)),
            status: answer.status,
            headers: self.fields(&answer.headers)?,
            pieces,
        })
    }
}

impl Prepared {
    /// Text that says what went wrong.
    pub fn of_error(status: StatusCode, words: &str) -> Self {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        Self {
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            pieces: vec![Piece::Data(format!("{words}\n").into())],
            ..Self::empty(status)
        }
    }

    /// A value of JSON.
    pub fn of_json(status: StatusCode, value: &serde_json::Value) -> Self {
        let kind = HeaderValue::from_static("application/json");
        Self {
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            pieces: vec![Piece::Data(value.to_string().into())],
            ..Self::empty(status)
        }
    }

    /// Nothing but a status.
    pub fn empty(status: StatusCode) -> Self {
        Self { delay: Duration::ZERO, status, headers: HeaderMap::new(), pieces: Vec::new() }
    }

    /// Bytes of its body.
    pub fn body_len(&self) -> usize {
        let data = |piece: &Piece| if let Piece::Data(bytes) = piece { bytes.len() } else { 0 };
        self.pieces.iter().map(data).sum()
    }

    /// Tells a length, whatever it is.
    pub fn tell_length(&mut self, length: u64) {
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }

    /// As it is sent over a connection.
    pub fn response(self, orders: &Arc<Orders>) -> Response<Outgoing> {
        let mut response = Response::new(Outgoing::new(self.pieces, Arc::clone(orders)));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
