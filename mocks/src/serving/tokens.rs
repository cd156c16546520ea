//! Tokens that were given to clients (RFC 6749).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    answer::{Draws, Prepared},
    compile::Tokens,
    request::{Request, values},
};

/// Those that are good, and until when.
#[derive(Debug, Default)]
pub struct Given {
    tokens: BTreeMap<String, Instant>,
    /// Tokens to get others with.
    refresh: Vec<String>,
}

/// How clients ask for tokens. Codes and passwords are taken as they come: who asks is known by its secret.
const GRANTS: [&str; 4] = ["client_credentials", "authorization_code", "password", "refresh_token"];

impl Given {
    /// Gives a token to who asks for one.
    pub fn give(
        &mut self,
        tokens: &Tokens,
        request: &Request,
        draws: &Draws,
        now: Instant,
    ) -> Prepared {
        let field = |name| values(request.form(), name).next();
        let error = |status, name: &str| Prepared::of_json(status, &json!({ "error": name }));
        let Some(grant) = field("grant_type") else {
            return error(StatusCode::BAD_REQUEST, "invalid_request");
        };
        if !GRANTS.contains(&grant) {
            return error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
        }
        if !knows(tokens, request) {
            return error(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        if grant == "refresh_token" {
            let given = field("refresh_token").unwrap_or_default();
            let Some(at) = self.refresh.iter().position(|known| known == given) else {
                return error(StatusCode::BAD_REQUEST, "invalid_grant");
            };
            self.refresh.remove(at);
        }
        let (token, refresh) = (draws.hex(TOKEN_LEN), draws.hex(TOKEN_LEN));
        self.tokens.insert(token.clone(), now + tokens.lifetime);
        self.refresh.push(refresh.clone());
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": tokens.lifetime.as_secs(),
            "refresh_token": refresh,
        });
        if let Some(scope) = field("scope") {
            answer["scope"] = Value::from(scope);
        }
        let mut answer = Prepared::of_json(StatusCode::OK, &answer);
        answer.headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        answer
    }

    /// What is answered to a request without a good token; nothing to one that has one.
    pub fn refuse(&self, request: &Request, now: Instant) -> Option<Prepared> {
        let bearer = request.header(&header::AUTHORIZATION).find_map(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let why = match bearer.map(|token| self.tokens.get(token)) {
            Some(Some(until)) if now < *until => return None,
            Some(_) => "Bearer error=\"invalid_token\"",
            None => "Bearer",
        };
        let mut answer =
            Prepared::of_json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }));
        answer.headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static(why));
        Some(answer)
    }
}

/// Letters of a token.
const TOKEN_LEN: usize = 40;

/// Whether the client says who it is, in the header or in the form (RFC 6749, section 2.3.1).
fn knows(tokens: &Tokens, request: &Request) -> bool {
    if tokens.clients.is_empty() {
        return true;
    }
    let basic = request.header(&header::AUTHORIZATION).find_map(|value| {
        let (scheme, text) = value.split_once(' ')?;
        let bytes =
            scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
        let text = String::from_utf8(bytes).ok()?;
        text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
    });
    let field = |name| values(request.form(), name).next().unwrap_or_default().to_owned();
    let (id, secret) = basic.unwrap_or_else(|| (field("client_id"), field("client_secret")));
    tokens.clients.iter().any(|known| *known == (id.clone(), secret.clone()))
}

impl Tokens {
    /// For how long tokens are good unless the file says so.
    pub const LIFETIME: Duration = Duration::from_secs(3600);
}
