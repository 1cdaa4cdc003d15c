//! The server's own key: it seals what the server must read again, the secrets of API keys and of second factors.
//!
//! It lies beside the database in a file of its own, so that a copy of the database alone opens nothing.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::data_dir::write_new_private;

const NONCE_LENGTH: usize = 24;

/// A random key of 256 bits.
pub(crate) struct ServerKey(Zeroizing<[u8; 32]>);

impl ServerKey {
    /// Makes a key and writes it to a new file.
    pub(crate) fn create(file: &Path) -> io::Result<Self> {
        let key = Self(Zeroizing::new(rand::random()));
        let text = Zeroizing::new(hex::encode(*key.0));
        write_new_private(file, text.as_bytes())?;
        Ok(key)
    }

    /// Reads the key from its file.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let text = Zeroizing::new(std::fs::read_to_string(file)?);
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), key.as_mut()).map_err(io::Error::other)?;
        Ok(Self(key))
    }

    /// Seals `secret` for the row that `name` names; `None` only if the cipher refuses.
    pub(crate) fn seal(&self, name: &str, secret: &str) -> Option<String> {
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: name.as_bytes(),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`seal`](Self::seal) sealed for the same name.
    pub(crate) fn open(&self, name: &str, sealed: &str) -> Option<SecretString> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>()?;
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        let clear = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(clear).ok().map(SecretString::from)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_sealed_secret_opens_under_its_own_name_only() {
        let key = ServerKey(Zeroizing::new(rand::random()));
        let sealed = key.seal("key-1", "the secret").unwrap();

        assert_eq!(
            key.open("key-1", &sealed).unwrap().expose_secret(),
            "the secret"
        );
        assert!(key.open("key-2", &sealed).is_none());
        assert!(!sealed.contains("the secret"));
    }
}
