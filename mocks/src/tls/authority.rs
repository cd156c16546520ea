//! Who vouches for the services: an authority that follows from the seed, so that whoever knows the seed can trust it
//! before anything runs.

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha1::{Digest, Sha1};
use simrun_kernel::random::Stream;

use super::key::Key;

/// A certificate authority.
pub struct Authority {
    seed: u64,
    issuer: Issuer<'static, Key>,
    der: CertificateDer<'static>,
}

/// Names of streams: of the authority's key, and of each certificate with a hash of its name.
const AUTHORITY: u64 = 0x7369_6d72_756e_4341;

/// Its name, as programs show it.
const NAME: &str = "simrun mocks";

impl Authority {
    /// The authority of a seed.
    ///
    /// # Panics
    /// Never: what is signed here has nothing of the user in it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut stream = Stream::new(seed, AUTHORITY);
        let mut params = parameters(&mut stream, NAME);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = Key::draw(&mut stream);
        let der = params.self_signed(&key).expect("an authority can be signed").into();
        Self { seed, issuer: Issuer::new(params, key), der }
    }

    /// Its certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its certificate, as files have it (RFC 7468).
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// The name under which OpenSSL looks for it in a folder (X509_NAME_hash(3)): the beginning of the SHA-1 of its name,
    /// in the form in which names are compared.
    #[must_use]
    pub fn file_name(&self) -> String {
        let len = NAME.len() as u8;
        // A set of one sequence of the identifier of the common name and a text of UTF-8.
        let head = [0x31, len + 9, 0x30, len + 7, 0x06, 3, 0x55, 4, 3, 0x0c, len];
        let digest = Sha1::digest([&head, NAME.as_bytes()].concat());
        format!("{:08x}.0", u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }

    /// Its certificate as Java keeps those that it trusts (JKS); the password is Java's usual one.
    #[must_use]
    pub fn java_store(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u16).to_be_bytes());
            bytes.extend(text.as_bytes());
        };
        // Magic number, version, how many entries, a trusted certificate.
        [0xfeed_feed_u32, 2, 1, 2].iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        text(&mut bytes, "simrun");
        bytes.extend(0u64.to_be_bytes());
        text(&mut bytes, "X.509");
        bytes.extend((self.der.len() as u32).to_be_bytes());
        bytes.extend(self.der.as_ref());
        let password: Vec<u8> = "changeit".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let digest = Sha1::digest([&password, &b"Mighty Aphrodite"[..], &bytes].concat());
        bytes.extend(digest);
        bytes
    }

    /// A certificate for a host, with those that vouch for it, and its key; `None` if no certificate can be for it.
    pub fn vouch(
        &self,
        host: &str,
    ) -> Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let hash = host
            .bytes()
            .fold(AUTHORITY, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut stream = Stream::new(self.seed, hash);
        let mut params = parameters(&mut stream, host);
        params.subject_alt_names = match host.parse() {
            Ok(address) => vec![SanType::IpAddress(address)],
            Err(_) => vec![SanType::DnsName(host.try_into().ok()?)],
        };
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = Key::draw(&mut stream);
        let certificate = params.signed_by(&key, &self.issuer).ok()?;
        Some((vec![certificate.into(), self.der.clone()], key.der()))
    }
}

/// What all certificates have: numbers from the stream, and dates around all that a simulation may be told to be.
fn parameters(stream: &mut Stream, name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(1990, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let mut serial = [0; 16];
    stream.fill(&mut serial);
    // A positive number (RFC 5280, section 4.1.2.2).
    serial[0] = serial[0] & 0x7f | 1;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let mut identifier = vec![0; 20];
    stream.fill(&mut identifier);
    params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_follow_from_the_seed() {
        let (a, b, other) = (Authority::new(7), Authority::new(7), Authority::new(8));
        assert_eq!(a.pem(), b.pem());
        assert_ne!(a.pem(), other.pem());
        let leaf = |authority: &Authority, host| {
            let (chain, key) = authority.vouch(host).expect("a host");
            (chain[0].to_vec(), key.secret_der().to_vec())
        };
        assert_eq!(leaf(&a, "api.test"), leaf(&b, "api.test"));
        assert_ne!(leaf(&a, "api.test").1, leaf(&a, "eu.test").1);
        assert!(a.vouch("ä").is_none());
    }
}
