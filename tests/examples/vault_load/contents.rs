//! What the vault is filled with, over its API, as the command line would.

use std::sync::Arc;

use anyhow::Context as _;
use passportal_client::PersonSession;
use passportal_client::envelope::{DataKey, Field, KeyEncryptionKey, OrganizationKey, Place};
use passportal_client::wire::{KeyParameters, MicrosoftSync, NewClient, NewCredential, SyncMode};
use sync_engine::model::Password;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::server::ORGANIZATION_KEY;

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// Ids of what there is.
#[derive(Clone)]
pub(crate) struct Contents {
    pub(crate) clients: Arc<[Uuid]>,
    /// With the place of their client among the clients.
    pub(crate) credentials: Arc<[(usize, Uuid)]>,
}

impl Contents {
    pub(crate) async fn fill(
        person: &Arc<PersonSession>,
        organization: Uuid,
        clients: usize,
        credentials: usize,
    ) -> anyhow::Result<Self> {
        let company = person.clients().await?;
        let parameters = company
            .first()
            .context("the company vault")?
            .key
            .parameters
            .clone();
        let kek = OrganizationKey::new(ORGANIZATION_KEY).derive(&parameters)?;
        let mut keys = Vec::new();
        for number in 0..clients {
            keys.push(client(person, organization, number, (&kek, &parameters)).await?);
        }
        let keys: Arc<[DataKey]> = keys.into();
        let mut writers = JoinSet::new();
        for first in 0..AT_ONCE {
            let (person, keys) = (Arc::clone(person), Arc::clone(&keys));
            writers.spawn(async move {
                let mut made = Vec::new();
                for number in (first..credentials).step_by(AT_ONCE) {
                    let client = number % keys.len();
                    let key = keys.get(client).context("a client")?;
                    let new = credential(key, number);
                    person.create_credential(key.client(), &new).await?;
                    made.push((client, new.id));
                }
                anyhow::Ok(made)
            });
        }
        let mut credentials = Vec::new();
        while let Some(made) = writers.join_next().await {
            credentials.extend(made??);
        }
        Ok(Self {
            clients: keys.iter().map(DataKey::client).collect(),
            credentials: credentials.into(),
        })
    }
}

async fn client(
    person: &PersonSession,
    organization: Uuid,
    number: usize,
    (kek, parameters): (&KeyEncryptionKey, &KeyParameters),
) -> anyhow::Result<DataKey> {
    let key = DataKey::generate(organization, Uuid::new_v4());
    let new = NewClient {
        id: key.client(),
        name: format!("Client {number:04}"),
        sync: MicrosoftSync::EntraId,
        default_mode: SyncMode::Enabled,
        key: key.wrap(kek, parameters),
    };
    person.create_client(&new).await?;
    Ok(key)
}

fn credential(key: &DataKey, number: usize) -> NewCredential {
    let id = Uuid::new_v4();
    let user_name = format!("user{number}@client{:04}.example", number % 1_000);
    let place = Place {
        credential: id,
        field: Field::Password,
        version: 1,
        user_name: &user_name,
    };
    NewCredential {
        id,
        credential_type: "Azure/Office365 User".to_owned(),
        description: format!("Mailbox of person {number}"),
        notes: String::new(),
        own_mode: None,
        folder: String::new(),
        url: String::new(),
        expires: None,
        totp: None,
        sealed: key.seal(&place, &Password::new(format!("Password-{number}"))),
        user_name,
    }
}
