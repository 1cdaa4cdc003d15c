//! Every form that a certificate file may have, and every mistake that can be made with one.

use std::sync::LazyLock;

use p12_keystore::{Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rcgen::{CertificateParams, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd};
use rsa::PrivateKey;
use rsa::pkcs1::der::Encode as _;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, RsaPublicKey, UintRef};
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};

use super::*;

/// A year in which certificates begin or end.
type Year = i32;

/// An RSA key and a self-signed certificate for it.
pub(crate) struct Pair {
    pub(crate) key: PrivateKey,
    der: Vec<u8>,
    pem: String,
}

/// Keys take a while to make.
static KEYS: LazyLock<[PrivateKey; 2]> = LazyLock::new(|| [2048, 2048].map(new_key));

fn new_key(bits: usize) -> PrivateKey {
    PrivateKey::new(&mut rand::rng(), bits).unwrap()
}

impl Pair {
    pub(crate) fn of_the_tests() -> Self {
        Self::valid(2000, 2100)
    }

    pub(crate) fn valid(from: Year, until: Year) -> Self {
        Self::of(&KEYS[0], from, until)
    }

    fn of(key: &PrivateKey, from: Year, until: Year) -> Self {
        let pkcs8 = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let signer = rcgen::KeyPair::from_pem_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(vec!["agent".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let made = params.self_signed(&signer).unwrap();
        Self {
            key: key.clone(),
            der: made.der().to_vec(),
            pem: made.pem(),
        }
    }

    /// The certificate and the key, as a file has them.
    pub(crate) fn pem_file(&self) -> String {
        format!("{}{}", self.pem, self.pkcs8())
    }

    pub(crate) fn certificate(&self) -> ClientCertificate {
        ClientCertificate::read(self.pem_file().as_bytes(), None).unwrap()
    }

    /// The thumbprint, by another library.
    pub(crate) fn sha256(&self) -> String {
        use rsa::sha2::Digest as _;
        URL_SAFE_NO_PAD.encode(rsa::sha2::Sha256::digest(&self.der))
    }

    fn pkcs8(&self) -> String {
        self.key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    }

    fn pkcs1(&self) -> String {
        self.key.to_pkcs1_pem(LineEnding::LF).unwrap().to_string()
    }

    fn pkcs12(&self, password: &str, encryption: EncryptionAlgorithm) -> Vec<u8> {
        let key = self.key.to_pkcs8_der().unwrap();
        let key = p12_keystore::PrivateKey::from_der(key.as_bytes()).unwrap();
        let certificate = Certificate::from_der(&self.der).unwrap();
        let chain = PrivateKeyChain::new("id", key, [certificate]);
        let mut store = KeyStore::new();
        store.add_entry("agent", KeyStoreEntry::PrivateKeyChain(chain));
        let writer = store.writer(password).encryption_algorithm(encryption);
        writer.write().unwrap()
    }
}

fn read(content: &str) -> Result<ClientCertificate, CertificateError> {
    ClientCertificate::read(content.as_bytes(), None)
}

/// An error is told with a remedy, and repeats nothing of the file.
fn told(outcome: Result<ClientCertificate, CertificateError>) -> CertificateError {
    let error = outcome.unwrap_err();
    assert!(!error.hint().is_empty());
    let text = format!("{error} {error:?} {}", error.hint());
    assert!(!text.contains("MII") && !text.contains("hunter2"), "{text}");
    error
}

#[test]
fn key_and_certificate_are_read_from_pem_in_any_order_and_from_either_key_format() {
    let pair = Pair::of_the_tests();
    for file in [
        pair.pem_file(),
        format!("{}{}", pair.pkcs8(), pair.pem),
        format!("{}{}", pair.pkcs1(), pair.pem),
        format!("Bag Attributes\n  friendlyName: agent\n{}", pair.pem_file()),
        pair.pem_file().replace('\n', "\r\n"),
    ] {
        let certificate = read(&file).unwrap();
        assert_eq!(certificate.thumbprint(), pair.sha256());
        let end: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(certificate.life().not_after, end);
    }
}

#[test]
fn of_a_chain_the_key_s_own_certificate_is_taken() {
    let (own, other) = (Pair::of_the_tests(), Pair::of(&KEYS[1], 2000, 2100));
    for file in [
        format!("{}{}{}", own.pem, other.pem, own.pkcs8()),
        format!("{}{}{}", other.pem, own.pem, own.pkcs8()),
    ] {
        assert_eq!(read(&file).unwrap().thumbprint(), own.sha256());
    }
}

#[test]
fn of_several_certificates_for_one_key_the_one_that_is_valid_for_longest_is_taken() {
    let (old, new) = (Pair::valid(2000, 2010), Pair::valid(2005, 2100));
    for file in [
        format!("{}{}{}", old.pem, new.pem, old.pkcs8()),
        format!("{}{}{}", new.pem, old.pem, old.pkcs8()),
    ] {
        assert_eq!(read(&file).unwrap().thumbprint(), new.sha256());
    }
}

#[test]
fn a_certificate_without_an_end_is_valid_for_as_long_as_there_is_a_time() {
    let made = without_an_end();
    let certificate = read(&made).unwrap();
    assert_eq!(
        certificate.life().not_after.as_second(),
        Timestamp::MAX.as_second()
    );
    assert!(!certificate.life().ends_soon(Timestamp::now()));
}

/// 99991231235959Z, as RFC 5280 has it.
fn without_an_end() -> String {
    let pkcs8 = KEYS[0].to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
    let signer = rcgen::KeyPair::from_pem_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["agent".to_owned()]).unwrap();
    let day = date_time_ymd(9999, 12, 31);
    params.not_after = day + std::time::Duration::from_secs(24 * 60 * 60 - 1);
    format!("{}{pkcs8}", params.self_signed(&signer).unwrap().pem())
}

#[test]
fn pkcs12_is_opened_with_its_password_in_the_new_and_in_the_old_encryption() {
    let pair = Pair::of_the_tests();
    for encryption in [
        EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
        EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
        EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc,
    ] {
        let file = pair.pkcs12("hunter2", encryption);
        let right = SecretString::from("hunter2");
        let certificate = ClientCertificate::read(&file, Some(&right)).unwrap();
        assert_eq!(certificate.thumbprint(), pair.sha256());
        let wrong = told(ClientCertificate::read(&file, Some(&"hunter3".into())));
        assert!(matches!(wrong, CertificateError::WrongPassword), "{wrong}");
        let none = told(ClientCertificate::read(&file, None));
        assert!(matches!(none, CertificateError::PasswordNeeded), "{none}");
    }
    let open = pair.pkcs12("", EncryptionAlgorithm::PbeWithHmacSha256AndAes256);
    assert!(ClientCertificate::read(&open, None).is_ok());
}

#[test]
fn each_mistake_is_told_as_what_it_is() {
    let (own, other) = (Pair::of_the_tests(), Pair::of(&KEYS[1], 2000, 2100));
    let encrypted = own.pkcs8().replace("PRIVATE", "ENCRYPTED PRIVATE");
    let old_encrypted = own.pkcs1().replace(
        "KEY-----\nMII",
        "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMII",
    );
    let damaged_key = pem::encode(&pem::Pem::new("PRIVATE KEY", b"nonsense".to_vec()));
    let damaged = pem::encode(&pem::Pem::new("CERTIFICATE", b"nonsense".to_vec()));
    let text = [
        own.pem.clone(),
        own.pkcs8(),
        format!("{}{}{}", own.pem, own.pkcs8(), other.pkcs8()),
        format!("{}{encrypted}", own.pem),
        format!("{}{old_encrypted}", own.pem),
        format!("{}{}", own.pem, other.pkcs8()),
        format!("{}{damaged_key}", own.pem),
        format!("{damaged}{}", own.pkcs8()),
        own.pem_file().replace("-----END PRIVATE KEY-----", ""),
        "nonsense".to_owned(),
        String::new(),
    ]
    .map(|file| told(read(&file)).to_string())
    .join("\n");
    insta::assert_snapshot!(text, @r"
    there is no private key in the file
    there is no certificate in the file
    there is more than one private key in the file
    the private key in the PEM file is encrypted
    the private key in the PEM file is encrypted
    the private key in the file does not belong to its certificate
    the private key in the file cannot be used
    the certificate in the file is damaged
    there is no private key in the file
    the file is neither PEM nor PKCS#12 that can be read
    the file is neither PEM nor PKCS#12 that can be read
    ");
}

#[test]
fn elliptic_curves_and_short_keys_are_refused_by_name() {
    let curve = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["agent".to_owned()]).unwrap();
    let made = params.self_signed(&curve).unwrap();
    let error = told(read(&format!("{}{}", made.pem(), curve.serialize_pem())));
    assert!(matches!(error, CertificateError::NotRsa), "{error}");

    let rsa = Pair::of_the_tests();
    let error = told(read(&format!("{}{}", rsa.pem, curve.serialize_pem())));
    assert!(matches!(error, CertificateError::Key(_)), "{error}");

    // No library here signs with such a key any more, so the certificate is another's.
    let short = short_certificate();
    let error = told(read(&format!("{short}{}", rsa.pkcs8())));
    assert!(
        matches!(error, CertificateError::KeySize { bits: 1024 }),
        "{error}"
    );
}

/// A public key that only stands in a certificate.
struct Subject(Vec<u8>);

impl rcgen::PublicKeyData for Subject {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// A certificate for a key of 1024 bits, issued with a longer key.
fn short_certificate() -> String {
    let public_key = RsaPublicKey {
        modulus: UintRef::new(&[0xC5; 128]).unwrap(),
        public_exponent: UintRef::new(&[1, 0, 1]).unwrap(),
    };
    let issuer_key = KEYS[0].to_pkcs8_pem(LineEnding::LF).unwrap();
    let issuer_key = rcgen::KeyPair::from_pem_and_sign_algo(&issuer_key, &PKCS_RSA_SHA256).unwrap();
    let issuer = rcgen::Issuer::new(CertificateParams::default(), issuer_key);
    let params = CertificateParams::new(vec!["agent".to_owned()]).unwrap();
    let subject = Subject(public_key.to_der().unwrap());
    params.signed_by(&subject, &issuer).unwrap().pem()
}

#[test]
fn neither_the_key_nor_anything_of_it_is_in_the_debug_text() {
    let pair = Pair::of_the_tests();
    let text = format!("{:?}", pair.certificate());
    assert!(text.contains(&pair.sha256()) && text.len() < 300, "{text}");
}
