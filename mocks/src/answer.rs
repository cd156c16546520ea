//! What is answered.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use simrun_config::{Spanned, Wrong};

use crate::file::Answer as FileAnswer;

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// Reads one.
///
/// # Errors
/// The first thing that cannot be sent.
pub fn compile(answer: &Spanned<FileAnswer>) -> Result<Answer, Wrong> {
    let status = match &answer.status {
        None => StatusCode::OK,
        Some(code) => match StatusCode::from_u16(code.value) {
            // 1xx only announce an answer.
            Ok(status) if !status.is_informational() => status,
            _ => return Err(code.wrong(format!("{} is no status of an answer", code.value))),
        },
    };
    let mut headers = Vec::new();
    for (name, values) in answer.headers.iter().flat_map(|headers| &headers.0) {
        let parsed: HeaderName = name
            .parse()
            .map_err(|_| name.wrong(format!("`{}` is no name of a header field", name.value)))?;
        for value in values.iter() {
            let value = HeaderValue::from_str(value)
                .map_err(|_| value.wrong("this cannot stand in a header field"))?;
            headers.push((parsed.clone(), value));
        }
    }
    let (body, kind) = match (&answer.text, &answer.json) {
        (Some(_), Some(_)) => return Err(answer.wrong("there is one body: `text` or `json`")),
        (Some(text), None) => (Bytes::from(text.clone()), Some("text/plain; charset=utf-8")),
        (None, Some(json)) => (Bytes::from(json.0.to_string()), Some("application/json")),
        (None, None) => (Bytes::new(), None),
    };
    if let Some(kind) = kind
        && !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE)
    {
        headers.push((header::CONTENT_TYPE, HeaderValue::from_static(kind)));
    }
    Ok(Answer { status, headers, body })
}

impl Answer {
    /// As it is sent.
    pub fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.clone()));
        *response.status_mut() = self.status;
        for (name, value) in &self.headers {
            response.headers_mut().append(name, value.clone());
        }
        response
    }

    /// Text that says what went wrong.
    pub fn of_error(status: StatusCode, words: &str) -> Self {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let body = Bytes::from(format!("{words}\n"));
        Self { status, headers: vec![(header::CONTENT_TYPE, kind)], body }
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}
