//! The service's side of TLS: a certificate for whatever host is asked for.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use super::Authority;
use crate::compile::Service;

/// What is offered to clients (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/2 and HTTP/1.1.
    Http,
    /// Nothing: what is spoken is no concern of TLS.
    Nothing,
}

/// What takes connections of a service; who names no host means its first.
///
/// # Panics
/// Never: the provider has the versions that are asked of it.
pub fn acceptor(seed: u64, service: &Service, offer: Offer) -> TlsAcceptor {
    let default = service.hosts[0].trim_start_matches("*.").to_owned();
    let provider = Arc::new(ring::default_provider());
    let resolver = Resolver {
        seed,
        authority: OnceLock::new(),
        default,
        provider: Arc::clone(&provider),
        known: Mutex::default(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    if offer == Offer::Http {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    config.session_storage = Arc::new(NoServerSessionStorage {});
    TlsAcceptor::from(Arc::new(config))
}

/// Certificates by host.
struct Resolver {
    seed: u64,
    /// Made when it is needed first: most runs never need it.
    authority: OnceLock<Authority>,
    default: String,
    provider: Arc<CryptoProvider>,
    known: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("default", &self.default).finish_non_exhaustive()
    }
}

/// Most hosts whose certificates are kept: who asks for ever new ones must not fill the memory.
const KNOWN_MAX: usize = 1024;

impl Resolver {
    fn certificate(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(host) {
            return Some(Arc::clone(found));
        }
        let authority = self.authority.get_or_init(|| Authority::new(self.seed));
        let (chain, key) = authority.vouch(host)?;
        let key = self.provider.key_provider.load_private_key(key).ok()?;
        let certified = Arc::new(CertifiedKey::new(chain, key));
        if known.len() < KNOWN_MAX {
            known.insert(host.to_owned(), Arc::clone(&certified));
        }
        Some(certified)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate(hello.server_name().unwrap_or(&self.default))
    }
}
