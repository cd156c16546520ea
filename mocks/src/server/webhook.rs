//! Requests that services make by themselves.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use tokio::{
    task::spawn_local,
    time::{sleep, timeout},
};

use crate::{
    client::{connect, usual_port},
    journal,
    serving::{Outbound, Serving},
    tls,
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a request when its time has come, and again if it fails.
pub fn send(serving: Rc<Serving>, outbound: Outbound) {
    spawn_local(async move {
        sleep(outbound.delay).await;
        for _ in 0..1 + u32::from(outbound.is_doubled) {
            let mut pause = outbound.every;
            for attempt in 0..=outbound.retries {
                let result = timeout(PATIENCE, ask(&outbound)).await;
                let result = result.unwrap_or_else(|_| Err("no answer came".into()));
                journal::webhook(&serving.service, &outbound, attempt, &result);
                if result.is_ok_and(|status| status.is_success()) {
                    break;
                }
                if attempt < outbound.retries {
                    sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
            }
        }
    });
}

/// Makes it once; why there is no answer, in words.
async fn ask(outbound: &Outbound) -> Result<StatusCode, String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let uri: Uri = outbound.url.parse().map_err(|error: http::uri::InvalidUri| words(&error))?;
    let host = uri.host().ok_or("the address has no host")?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let usual = usual_port(scheme).ok_or("the address is none of HTTP or HTTPS")?;
    let connector = (scheme == "https").then(tls::connector);
    let mut sender = connect(host, uri.port_u16().unwrap_or(usual), connector.as_ref()).await?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::builder().method(&outbound.method).uri(target);
    if let Some(authority) = uri.authority() {
        request = request.header(header::HOST, authority.as_str());
    }
    let mut request: Request<Full<Bytes>> =
        request.body(outbound.body.clone().into()).map_err(|error| words(&error))?;
    request.headers_mut().extend(outbound.headers.clone());
    let answer = sender.send_request(request).await.map_err(|error| words(&error))?;
    let status = answer.status();
    // The rest is read so that the other side gets rid of it.
    let _ = answer.into_body().collect().await;
    Ok(status)
}
