//! The unambiguous encoding of what is authenticated along with a sealed text.

use uuid::Uuid;

use super::{FORMAT, Place, Purpose};
use crate::wire::KeyParameters;

/// Who a data key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) key_id: Uuid,
    pub(super) organization: Uuid,
    pub(super) client: Uuid,
}

/// What a sealed field is bound to.
pub(super) fn of_field(owner: Owner, place: &Place<'_>) -> Vec<u8> {
    Binding::new("passportal-sync sealed field")
        .owner(owner)
        .part(place.credential.as_bytes())
        .part(place.field.name().as_bytes())
        .part(&place.version.to_be_bytes())
        .part(place.user_name.as_bytes())
        .0
}

/// What a wrapped data key is bound to.
pub(super) fn of_data_key(owner: Owner, parameters: &KeyParameters) -> Vec<u8> {
    Binding::new("passportal-sync data key")
        .owner(owner)
        .part(parameters.salt.as_bytes())
        .part(&parameters.memory_kib.to_be_bytes())
        .part(&parameters.iterations.to_be_bytes())
        .part(&parameters.parallelism.to_be_bytes())
        .0
}

/// What a secret of this machine is bound to.
pub(super) fn of_local(owner: Owner, purpose: Purpose) -> Vec<u8> {
    Binding::new("passportal-sync local secret")
        .owner(owner)
        .part(purpose.name().as_bytes())
        .0
}

struct Binding(Vec<u8>);

impl Binding {
    fn new(label: &str) -> Self {
        Self(Vec::new()).part(label.as_bytes()).part(&[FORMAT])
    }

    fn owner(self, owner: Owner) -> Self {
        self.part(owner.key_id.as_bytes())
            .part(owner.organization.as_bytes())
            .part(owner.client.as_bytes())
    }

    /// Each part carries its length, so that no two different lists of parts are the same bytes.
    fn part(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }
}
