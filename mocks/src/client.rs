//! HTTP as a client speaks it: to services that are recorded, and to whoever wants to hear of something.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::spawn_local,
};
use tokio_rustls::TlsConnector;

/// A connection over which requests are made.
pub type Sender = SendRequest<Full<Bytes>>;

/// The port of a scheme that says none; `None` for one that is not of HTTP.
pub fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Connects, over TLS if there is what connects so.
///
/// # Errors
/// Why there is no connection, in words.
pub async fn connect(host: &str, port: u16, tls: Option<&TlsConnector>) -> Result<Sender, String> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    let Some(connector) = tls else { return begin(stream).await };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    begin(connector.connect(name, stream).await.map_err(|error| error.to_string())?).await
}

async fn begin(line: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<Sender, String> {
    let (sender, connection) =
        handshake(TokioIo::new(line)).await.map_err(|error| error.to_string())?;
    spawn_local(connection);
    Ok(sender)
}
