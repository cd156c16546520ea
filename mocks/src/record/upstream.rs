//! The service that is recorded.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use crate::client::{connect, usual_port};

/// Why a service cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is none.
    #[error("`{0}` is no address of a service, as in https://api.payments.test")]
    Address(String),
    /// Nobody can be trusted.
    #[error("there is no authority that could vouch for it: --authority FILE names one")]
    Authority,
    /// It cannot be listened.
    #[error("requests cannot be taken")]
    Listen(#[source] io::Error),
}

/// What a service is reached by.
pub struct Upstream {
    /// `http` or `https`.
    pub scheme: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    tls: Option<TlsConnector>,
}

/// What a service has answered.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Fields that are about a connection, and not passed on (RFC 9110, section 7.6.1); and the one by which a service may be
/// asked for a body that nobody can read.
const OWN: [HeaderName; 7] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Upstream {
    /// Of an address; `authorities` are certificates of those who may vouch for it, as files have them.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn new(address: &str, authorities: &[u8]) -> Result<Self, Error> {
        let wrong = || Error::Address(address.into());
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
        let usual = usual_port(scheme).ok_or_else(wrong)?;
        if host.is_empty() || !matches!(uri.path(), "" | "/") {
            return Err(wrong());
        }
        Ok(Self {
            scheme: scheme.into(),
            host: host.to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(usual),
            tls: if scheme == "https" { Some(connector(authorities)?) } else { None },
        })
    }

    /// Its host, and its port if it is not the usual one.
    pub fn authority(&self) -> String {
        if usual_port(&self.scheme) == Some(self.port) {
            return self.host.clone();
        }
        format!("{}:{}", self.host, self.port)
    }

    /// Asks it.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub async fn ask(
        &self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.parse().map_err(|_| "the path is none".to_owned())?;
        for (name, value) in headers {
            if !OWN.contains(name) {
                request.headers_mut().append(name, value.clone());
            }
        }
        let host = HeaderValue::from_str(&self.authority()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(header::HOST, host);
        let words = |error: hyper::Error| error.to_string();
        let mut sender = connect(&self.host, self.port, self.tls.as_ref()).await?;
        let (parts, body) = sender.send_request(request).await.map_err(words)?.into_parts();
        let body = body.collect().await.map_err(words)?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

fn connector(authorities: &[u8]) -> Result<TlsConnector, Error> {
    let mut roots = RootCertStore::empty();
    let all = CertificateDer::pem_slice_iter(authorities).filter_map(Result::ok);
    roots.add_parsable_certificates(all);
    if roots.is_empty() {
        return Err(Error::Authority);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Listen(io::Error::other(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
