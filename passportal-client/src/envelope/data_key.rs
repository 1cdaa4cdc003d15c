//! A client's data key: seals and opens secret fields, and is wrapped for the server to keep.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sync_engine::model::Password;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::binding::{self, Owner};
use super::{EnvelopeError, FORMAT, KeyEncryptionKey, Place, Purpose, padding};
use crate::wire::{KeyParameters, SealedText, WrappedKey};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// The key that seals one client's secret fields. Whoever has it has that client's passwords and
/// no other's.
#[derive(Clone)]
pub struct DataKey {
    owner: Owner,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl DataKey {
    /// A new random key for a client.
    pub fn generate(organization: Uuid, client: Uuid) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(key.as_mut_slice());
        let key_id = Uuid::new_v4();
        Self::assemble(organization, client, key_id, key)
    }

    /// Its id, which every envelope sealed with it names.
    pub fn id(&self) -> Uuid {
        self.owner.key_id
    }

    /// The client that it belongs to.
    pub fn client(&self) -> Uuid {
        self.owner.client
    }

    /// The organization that it belongs to.
    pub fn organization(&self) -> Uuid {
        self.owner.organization
    }

    /// Seals this key for the server to keep. `parameters` are those that `kek` was derived with,
    /// and belong to this key's organization.
    pub fn wrap(&self, kek: &KeyEncryptionKey, parameters: &KeyParameters) -> WrappedKey {
        let mut clear = Zeroizing::new(Vec::with_capacity(KEY_BYTES + TAG_BYTES));
        clear.extend_from_slice(self.key.as_slice());
        let binding = binding::of_data_key(self.owner, parameters);
        let (nonce, sealed) = encrypt(&kek.0, &binding, clear);
        WrappedKey {
            key_id: self.id(),
            client: self.client(),
            parameters: parameters.clone(),
            sealed: encode(&[&[FORMAT], &nonce, &sealed]),
        }
    }

    /// Opens a wrapped key, which proves the organization key right.
    ///
    /// # Errors
    /// [`EnvelopeError::WrongOrganizationKey`] when it does not open.
    pub fn unwrap(kek: &KeyEncryptionKey, wrapped: &WrappedKey) -> Result<Self, EnvelopeError> {
        let owner = Owner {
            key_id: wrapped.key_id,
            organization: wrapped.parameters.organization,
            client: wrapped.client,
        };
        let bytes = decode(&wrapped.sealed)?;
        let rest = after_format(&bytes)?;
        let binding = binding::of_data_key(owner, &wrapped.parameters);
        let clear =
            decrypt(&kek.0, &binding, rest).map_err(|_| EnvelopeError::WrongOrganizationKey)?;
        Ok(Self {
            owner,
            key: key_from(&clear)?,
        })
    }

    /// Seals a secret for its place.
    pub fn seal(&self, place: &Place<'_>, clear: &Password) -> SealedText {
        self.seal_text(&binding::of_field(self.owner, place), clear.expose())
    }

    /// Opens a secret in its place.
    ///
    /// # Errors
    /// When it was sealed with another key or for another place, or was changed since.
    pub fn open(&self, place: &Place<'_>, sealed: &SealedText) -> Result<Password, EnvelopeError> {
        let padded = self.open_text(&binding::of_field(self.owner, place), sealed)?;
        padding::unpad(&padded).map(Password::new)
    }

    /// Seals a secret that rests on this machine.
    pub fn seal_local(&self, purpose: Purpose, clear: &SecretString) -> SealedText {
        let binding = binding::of_local(self.owner, purpose);
        self.seal_text(&binding, clear.expose_secret())
    }

    /// Opens a secret that rests on this machine.
    ///
    /// # Errors
    /// When it was sealed with another key or for another purpose, or was changed since.
    pub fn open_local(
        &self,
        purpose: Purpose,
        sealed: &SealedText,
    ) -> Result<SecretString, EnvelopeError> {
        let padded = self.open_text(&binding::of_local(self.owner, purpose), sealed)?;
        padding::unpad(&padded).map(SecretString::from)
    }

    fn seal_text(&self, binding: &[u8], clear: &str) -> SealedText {
        let padded = padding::pad(clear, TAG_BYTES);
        let (nonce, sealed) = encrypt(&self.key, binding, padded);
        encode(&[&[FORMAT], self.id().as_bytes(), &nonce, &sealed])
    }

    /// The padded text.
    fn open_text(
        &self,
        binding: &[u8],
        sealed: &SealedText,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let bytes = decode(sealed)?;
        let (key_id, rest) = after_format(&bytes)?
            .split_first_chunk::<16>()
            .ok_or(EnvelopeError::Malformed)?;
        let named = Uuid::from_bytes(*key_id);
        if named != self.id() {
            return Err(EnvelopeError::OtherKey { named });
        }
        decrypt(&self.key, binding, rest)
    }

    /// The key itself as text, for the one file or platform store where an agent keeps it.
    pub fn to_secret(&self) -> SecretString {
        SecretString::from(URL_SAFE_NO_PAD.encode(self.key.as_slice()))
    }

    /// The key from [`to_secret`](Self::to_secret)'s text.
    ///
    /// # Errors
    /// [`EnvelopeError::NotADataKey`] when the text is not one.
    pub fn from_secret(
        organization: Uuid,
        client: Uuid,
        key_id: Uuid,
        secret: &SecretString,
    ) -> Result<Self, EnvelopeError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(secret.expose_secret())
            .map(Zeroizing::new)
            .map_err(|_| EnvelopeError::NotADataKey)?;
        Ok(Self::assemble(
            organization,
            client,
            key_id,
            key_from(&bytes)?,
        ))
    }

    fn assemble(
        organization: Uuid,
        client: Uuid,
        key_id: Uuid,
        key: Zeroizing<[u8; KEY_BYTES]>,
    ) -> Self {
        let owner = Owner {
            key_id,
            organization,
            client,
        };
        Self { owner, key }
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({}, redacted)", self.id())
    }
}

/// Seals in place; `clear` must have room for the tag.
fn encrypt(
    key: &[u8; KEY_BYTES],
    binding: &[u8],
    mut clear: Zeroizing<Vec<u8>>,
) -> ([u8; NONCE_BYTES], Zeroizing<Vec<u8>>) {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce);
    #[expect(
        clippy::expect_used,
        reason = "the cipher's only failure is a text beyond 256 GiB"
    )]
    XChaCha20Poly1305::new(key.into())
        .encrypt_in_place(&XNonce::from(nonce), binding, &mut *clear)
        .expect("the text is shorter than the cipher's limit");
    (nonce, clear)
}

/// Opens nonce, sealed text and tag.
fn decrypt(
    key: &[u8; KEY_BYTES],
    binding: &[u8],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (nonce, sealed) = bytes
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(EnvelopeError::Malformed)?;
    let mut buffer = Zeroizing::new(sealed.to_vec());
    XChaCha20Poly1305::new(key.into())
        .decrypt_in_place(&XNonce::from(*nonce), binding, &mut *buffer)
        .map_err(|_| EnvelopeError::Altered)?;
    Ok(buffer)
}

fn after_format(bytes: &[u8]) -> Result<&[u8], EnvelopeError> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => Ok(rest),
        _ => Err(EnvelopeError::Malformed),
    }
}

fn key_from(bytes: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, EnvelopeError> {
    bytes
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| EnvelopeError::NotADataKey)
}

fn encode(parts: &[&[u8]]) -> SealedText {
    SealedText(URL_SAFE_NO_PAD.encode(parts.concat()))
}

fn decode(sealed: &SealedText) -> Result<Vec<u8>, EnvelopeError> {
    URL_SAFE_NO_PAD
        .decode(&sealed.0)
        .map_err(|_| EnvelopeError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::envelope::{Field, OrganizationKey, new_key_parameters};

    const CREDENTIAL: Uuid = Uuid::from_u128(0xC0);

    fn key() -> DataKey {
        DataKey::generate(Uuid::from_u128(1), Uuid::from_u128(2))
    }

    fn place(version: u64, user_name: &str) -> Place<'_> {
        Place {
            credential: CREDENTIAL,
            field: Field::Password,
            version,
            user_name,
        }
    }

    fn weak_parameters() -> KeyParameters {
        KeyParameters {
            memory_kib: 19 * 1024,
            iterations: 2,
            ..new_key_parameters(Uuid::from_u128(1))
        }
    }

    fn kek(organization_key: &str, parameters: &KeyParameters) -> KeyEncryptionKey {
        OrganizationKey::new(organization_key)
            .derive(parameters)
            .unwrap()
    }

    proptest! {
        #[test]
        fn any_text_is_carried_exactly(clear in any::<String>(), name in ".{0,40}", version: u64) {
            let key = key();
            let sealed = key.seal(&place(version, &name), &Password::new(clear.clone()));
            let opened = key.open(&place(version, &name), &sealed).unwrap();
            prop_assert_eq!(opened.expose(), clear);
        }

        #[test]
        fn a_flipped_bit_does_not_open(clear in ".{0,80}", at: prop::sample::Index, bit in 0..8_u8) {
            let key = key();
            let sealed = key.seal(&place(1, "anna@contoso.com"), &Password::new(clear));
            let mut bytes = decode(&sealed).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(key.open(&place(1, "anna@contoso.com"), &encode(&[&bytes])).is_err());
        }

        #[test]
        fn a_truncated_envelope_does_not_open(clear in ".{0,80}", keep: prop::sample::Index) {
            let key = key();
            let sealed = key.seal(&place(1, "anna@contoso.com"), &Password::new(clear));
            let bytes = decode(&sealed).unwrap();
            let short = encode(&[&bytes[..keep.index(bytes.len())]]);
            prop_assert!(key.open(&place(1, "anna@contoso.com"), &short).is_err());
        }

        #[test]
        fn another_version_or_name_does_not_open(
            version: u64, other_version: u64, name in ".{0,20}", other_name in ".{0,20}",
        ) {
            prop_assume!(version != other_version && name != other_name);
            let key = key();
            let sealed = key.seal(&place(version, &name), &Password::new("Canary-8fa1!"));
            for moved in [place(other_version, &name), place(version, &other_name)] {
                prop_assert_eq!(key.open(&moved, &sealed).unwrap_err(), EnvelopeError::Altered);
            }
        }
    }

    #[test]
    fn an_envelope_does_not_open_for_another_credential_client_or_organization() {
        let key = key();
        let here = place(3, "anna@contoso.com");
        let sealed = key.seal(&here, &Password::new("Canary-8fa1!"));
        let elsewhere = Place {
            credential: Uuid::from_u128(0xC1),
            ..here
        };
        let refused = |key: &DataKey, place: &Place<'_>| key.open(place, &sealed).unwrap_err();
        assert_eq!(refused(&key, &elsewhere), EnvelopeError::Altered);

        let owned_by = |organization: u128, client: u128, key_id: Uuid| {
            let ids = (Uuid::from_u128(organization), Uuid::from_u128(client));
            DataKey::from_secret(ids.0, ids.1, key_id, &key.to_secret()).unwrap()
        };
        assert_eq!(
            refused(&owned_by(1, 9, key.id()), &here),
            EnvelopeError::Altered
        );
        assert_eq!(
            refused(&owned_by(9, 2, key.id()), &here),
            EnvelopeError::Altered
        );
        assert_eq!(
            refused(&owned_by(1, 2, Uuid::from_u128(9)), &here),
            EnvelopeError::OtherKey { named: key.id() }
        );
        assert!(owned_by(1, 2, key.id()).open(&here, &sealed).is_ok());
    }

    #[test]
    fn the_same_password_is_sealed_differently_every_time_and_tells_no_length() {
        let key = key();
        let here = place(1, "anna@contoso.com");
        let (one, two) = (Password::new("Canary-8fa1!"), Password::new("C"));
        assert_ne!(key.seal(&here, &one), key.seal(&here, &one));
        assert_eq!(key.seal(&here, &one).0.len(), key.seal(&here, &two).0.len());
    }

    #[test]
    fn a_data_key_survives_wrapping_and_only_its_organization_key_opens_it() {
        let (key, parameters) = (key(), weak_parameters());
        let wrapped = key.wrap(&kek("right", &parameters), &parameters);
        let sealed = key.seal(&place(1, "a"), &Password::new("Canary-8fa1!"));

        let again = DataKey::unwrap(&kek("right", &parameters), &wrapped).unwrap();
        let opened = again.open(&place(1, "a"), &sealed).unwrap();
        assert_eq!(opened.expose(), "Canary-8fa1!");
        assert_eq!(
            DataKey::unwrap(&kek("wrong", &parameters), &wrapped).unwrap_err(),
            EnvelopeError::WrongOrganizationKey
        );
    }

    #[test]
    fn a_wrapped_key_does_not_open_for_another_client() {
        let parameters = weak_parameters();
        let kek = kek("right", &parameters);
        let mut wrapped = key().wrap(&kek, &parameters);
        wrapped.client = Uuid::from_u128(3);
        assert_eq!(
            DataKey::unwrap(&kek, &wrapped).unwrap_err(),
            EnvelopeError::WrongOrganizationKey
        );
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_and_no_key_is_printed() {
        let short = SecretString::from("c2hvcnQ".to_owned());
        let id = Uuid::from_u128(5);
        assert_eq!(
            DataKey::from_secret(id, id, id, &short).unwrap_err(),
            EnvelopeError::NotADataKey
        );
        let key = key();
        let printed = format!("{key:?}");
        assert!(!printed.contains(key.to_secret().expose_secret()));
        assert!(printed.contains("redacted"));
    }
}
