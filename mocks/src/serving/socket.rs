//! Connections that become those of WebSocket (RFC 6455, section 4.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha1::{Digest, Sha1};

use crate::{
    answer::Prepared,
    compile::{Action, Route, WebSocket},
    request::Request,
};

/// What shows that a service has understood (RFC 6455, section 1.3).
const MARK: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

impl WebSocket {
    /// What is answered to who wants to speak it.
    pub fn shake(&self, request: &Request) -> Prepared {
        let has = |name: &HeaderName, word: &str| {
            let words = request.header(name).flat_map(|line| line.split(','));
            words.map(str::trim).any(|known| known.eq_ignore_ascii_case(word))
        };
        let key = request.header(&header::SEC_WEBSOCKET_KEY).next();
        let Some(key) = key.filter(|_| has(&header::UPGRADE, "websocket")) else {
            let words = "WebSocket is spoken here";
            let mut refusal = Prepared::of_error(StatusCode::UPGRADE_REQUIRED, words);
            refusal.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            return refusal;
        };
        let accepted = STANDARD.encode(Sha1::new().chain_update(key).chain_update(MARK).finalize());
        let mut headers = HeaderMap::from_iter([
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
        ]);
        let spoken =
            self.protocols.iter().find(|known| has(&header::SEC_WEBSOCKET_PROTOCOL, known));
        let fields = [
            (header::SEC_WEBSOCKET_ACCEPT, Some(&accepted)),
            (header::SEC_WEBSOCKET_PROTOCOL, spoken),
        ];
        for (name, value) in fields {
            if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        Prepared { headers, ..Prepared::empty(StatusCode::SWITCHING_PROTOCOLS) }
    }
}

/// Whether an answer of a route is the beginning of a conversation.
pub fn begins(route: &Route, answer: &Prepared) -> bool {
    match route.action {
        Action::WebSocket(_) => answer.status == StatusCode::SWITCHING_PROTOCOLS,
        Action::Stream(_) => answer.status.is_success(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Script;

    #[test]
    fn who_shakes_hands_is_answered_as_the_rfc_does() {
        let socket = WebSocket { protocols: vec!["chat".into()], script: Script::default() };
        let asked = "GET /chat\nupgrade: WebSocket\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\nsec-websocket-protocol: soap, chat";
        let answer = socket.shake(&Request::read(asked));
        assert_eq!(answer.status, StatusCode::SWITCHING_PROTOCOLS);
        let field = |name: &str| answer.headers[name].to_str().expect("text").to_owned();
        assert_eq!(field("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(field("sec-websocket-protocol"), "chat");
        let refused = socket.shake(&Request::read("GET /chat"));
        assert_eq!(refused.status, StatusCode::UPGRADE_REQUIRED);
    }
}
