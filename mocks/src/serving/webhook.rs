//! Requests that a service makes by itself, after an answer was decided.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderValue, Method, header};
use sha2::Sha256;
use simrun_kernel::fault::happens;

use crate::{
    answer::Maker,
    compile::{Signature, Webhook},
};

/// A request that is to be made.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// How much later.
    pub delay: Duration,
    /// Where to.
    pub url: String,
    /// The method.
    pub method: Method,
    /// The header.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How often it is tried again.
    pub retries: u32,
    /// How long after the first that failed.
    pub every: Duration,
    /// Whether it is made twice.
    pub is_doubled: bool,
}

/// A request with all its places filled.
///
/// # Errors
/// What is not there, in words.
pub fn prepare(webhook: &Webhook, maker: &Maker<'_>) -> Result<Outbound, String> {
    let mut headers = maker.fields(&webhook.headers)?;
    let body = match &webhook.content {
        Some((content, kind)) => {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
            maker.content(content)?
        }
        None => Bytes::new(),
    };
    if let Some(sign) = &webhook.sign {
        let value = HeaderValue::from_str(&signature(sign, &body));
        headers.insert(sign.header.clone(), value.map_err(|error| error.to_string())?);
    }
    Ok(Outbound {
        delay: webhook.delay.as_ref().map_or(Duration::ZERO, |delay| maker.time(delay)),
        url: maker.templates.fill_text(&webhook.url, &maker.world)?,
        method: webhook.method.clone(),
        headers,
        body,
        retries: webhook.retries,
        every: webhook.every,
        is_doubled: maker.draws.draw(|stream| happens(stream, webhook.duplicate)),
    })
}

fn signature(sign: &Signature, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(sign.secret.as_bytes()) else {
        unreachable!("a key of HMAC has any length")
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if sign.with_time {
        mac.update(format!("{now}.").as_bytes());
    }
    mac.update(body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    match sign.with_time {
        true => format!("{}t={now},v1={hex}", sign.prefix),
        false => format!("{}{hex}", sign.prefix),
    }
}
