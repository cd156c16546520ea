//! Keys that follow from the seed. What they sign does, too: with the nonces of RFC 6979, a signature is a function of key
//! and message.

use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::EncodePrivateKey,
};
use rcgen::{PublicKeyData, SignatureAlgorithm};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use simrun_kernel::random::Stream;

/// A key on the curve P-256.
pub struct Key {
    secret: SecretKey,
    /// The public key as an uncompressed point.
    point: Vec<u8>,
}

impl Key {
    /// The next key of a stream.
    pub fn draw(stream: &mut Stream) -> Self {
        loop {
            let mut bytes = [0; 32];
            stream.fill(&mut bytes);
            // All but one of 2^32 are below the order of the curve.
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                let point = secret.public_key().to_sec1_bytes().into_vec();
                return Self { secret, point };
            }
        }
    }

    /// As rustls takes it.
    ///
    /// # Panics
    /// Never: a key can be encoded.
    pub fn der(&self) -> PrivateKeyDer<'static> {
        let der = self.secret.to_pkcs8_der().expect("a key can be encoded");
        PrivatePkcs8KeyDer::from(der.as_bytes().to_vec()).into()
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = SigningKey::from(&self.secret).sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}
