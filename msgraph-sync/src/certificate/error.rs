//! What can be wrong with a certificate file. No text repeats any of its content.

use ring::error::KeyRejected;

/// Why a file is no certificate to sign in with. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Damaged PEM text.
    #[error("the PEM text is damaged")]
    Pem(#[source] pem::PemError),
    /// Neither PEM nor PKCS#12, or damaged, or with an encryption that is not known.
    #[error("the file is neither PEM nor PKCS#12 that can be read")]
    Pkcs12(#[source] p12_keystore::error::Error),
    /// PKCS#12 that the empty password does not open.
    #[error("the PKCS#12 file needs a password")]
    PasswordNeeded,
    /// PKCS#12 that the given password does not open.
    #[error("the password does not open the PKCS#12 file")]
    WrongPassword,
    /// There is no private key.
    #[error("there is no private key in the file")]
    NoKey,
    /// There is more than one.
    #[error("there is more than one private key in the file")]
    SeveralKeys,
    /// A PEM key that needs a passphrase.
    #[error("the private key in the PEM file is encrypted")]
    EncryptedKey,
    /// There is no certificate.
    #[error("there is no certificate in the file")]
    NoCertificate,
    /// A certificate that is none.
    #[error("the certificate in the file is damaged")]
    Certificate,
    /// An elliptic curve, for instance.
    #[error("the certificate's key is not an RSA key")]
    NotRsa,
    /// An RSA key that is too short, or longer than is usual.
    #[error("the certificate's RSA key has {bits} bits; 2048 to 4096 are possible")]
    KeySize {
        /// The length of its modulus.
        bits: usize,
    },
    /// A private key that is damaged, or of another kind than the certificate's.
    #[error("the private key in the file cannot be used")]
    Key(#[source] KeyRejected),
    /// Key and certificate are no pair.
    #[error("the private key in the file does not belong to its certificate")]
    KeyDoesNotFit,
}

impl CertificateError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Pem(_) | Self::Certificate | Self::Key(_) => {
                "export the certificate with its RSA key again, unaltered"
            }
            Self::Pkcs12(_) => {
                "give a PEM file, or export the PKCS#12 file again (openssl pkcs12 -export)"
            }
            Self::PasswordNeeded => "name a file with its password: certificate_password_file",
            Self::WrongPassword => "check what certificate_password_file holds",
            Self::NoKey => {
                "put the private key into the same file as the certificate; export with the key"
            }
            Self::SeveralKeys => "leave one private key and its certificate in the file",
            Self::EncryptedKey => {
                "decrypt it (openssl pkey -in FILE), or use a PKCS#12 file with certificate_password_file"
            }
            Self::NoCertificate => "put the certificate into the same file as the private key",
            Self::NotRsa | Self::KeySize { .. } => {
                "make a certificate with an RSA key of 2048 to 4096 bits: Entra ID's PS256 needs one"
            }
            Self::KeyDoesNotFit => "put the key and the certificate of one pair into the file",
        }
    }
}
