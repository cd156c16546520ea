//! What was asked and answered, as an entry of a HTTP Archive (version 1.2), which is where files of mocks come from anyway.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::upstream::Answer;

/// An entry.
pub fn entry(
    method: &Method,
    url: &str,
    (headers, body): (&HeaderMap, &[u8]),
    answer: &Answer,
) -> Value {
    let mut request = json!({ "method": method.as_str(), "url": url });
    if !body.is_empty() {
        request["postData"] = content(headers, body);
    }
    let fields: Vec<Value> = answer
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some(json!({ "name": name.as_str(), "value": value.to_str().ok()? }))
        })
        .collect();
    json!({
        "request": request,
        "response": {
            "status": answer.status.as_u16(),
            "headers": fields,
            "content": content(&answer.headers, &answer.body),
        },
    })
}

fn content(headers: &HeaderMap, body: &[u8]) -> Value {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match std::str::from_utf8(body) {
        Ok(text) => json!({ "mimeType": kind, "text": text }),
        Err(_) => json!({ "mimeType": kind, "encoding": "base64", "text": STANDARD.encode(body) }),
    }
}
