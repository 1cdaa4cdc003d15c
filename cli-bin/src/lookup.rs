//! Finds clients and credentials by what a person types: a name, a user name, or an id.

use passportal_client::PersonSession;
use passportal_client::wire::{Client, Credential};
use uuid::Uuid;

/// Why nothing, or too much, was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("there is no client `{wanted}`")]
    NoClient { wanted: String },
    #[error("there is no credential `{wanted}`")]
    NoCredential { wanted: String },
    #[error("there are {count} credentials `{wanted}`")]
    ManyCredentials { wanted: String, count: usize },
}

impl LookupError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoClient { .. } => "`passportal clients list` shows the clients",
            Self::NoCredential { .. } => "`passportal credentials list` shows the credentials",
            Self::ManyCredentials { .. } => {
                "name the client with --client, or use the id that `passportal credentials list` shows"
            }
        }
    }
}

/// The client with this id or name.
pub(crate) async fn client(person: &PersonSession, wanted: &str) -> anyhow::Result<Client> {
    Ok(one_client(person.clients().await?, wanted)?)
}

/// The credential with this id or user name, of one client where it is named, else of any.
pub(crate) async fn credential(
    person: &PersonSession,
    wanted: &str,
    client_name: Option<&str>,
) -> anyhow::Result<Credential> {
    let mut candidates = Vec::new();
    for client in clients(person, client_name).await? {
        candidates.extend(person.credentials(client.id).await?);
    }
    Ok(one_credential(candidates, wanted)?)
}

/// The named client, or all.
pub(crate) async fn clients(
    person: &PersonSession,
    name: Option<&str>,
) -> anyhow::Result<Vec<Client>> {
    let all = person.clients().await?;
    match name {
        Some(name) => Ok(vec![one_client(all, name)?]),
        None => Ok(all),
    }
}

/// Names are unique in an organization, so that at most one client is found.
fn one_client(all: Vec<Client>, wanted: &str) -> Result<Client, LookupError> {
    let id = wanted.parse::<Uuid>().ok();
    let name = wanted.trim().to_lowercase();
    all.into_iter()
        .find(|client| Some(client.id) == id || client.name.to_lowercase() == name)
        .ok_or_else(|| LookupError::NoClient {
            wanted: wanted.to_owned(),
        })
}

fn one_credential(all: Vec<Credential>, wanted: &str) -> Result<Credential, LookupError> {
    let id = wanted.parse::<Uuid>().ok();
    let name = wanted.trim().to_lowercase();
    let mut found: Vec<Credential> = all
        .into_iter()
        .filter(|it| Some(it.id) == id || it.user_name.to_lowercase() == name)
        .collect();
    let wanted = || wanted.to_owned();
    match (found.len(), found.pop()) {
        (1, Some(credential)) => Ok(credential),
        (_, None) => Err(LookupError::NoCredential { wanted: wanted() }),
        (count, _) => Err(LookupError::ManyCredentials {
            wanted: wanted(),
            count,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::samples::{a_client, a_credential};

    #[test]
    fn a_client_is_found_by_name_in_any_case_or_by_id() {
        let clients = vec![a_client(1, "Contoso"), a_client(2, "Fabrikam")];
        let by = |wanted: &str| one_client(clients.clone(), wanted).map(|client| client.name);
        assert_eq!(by("CONTOSO ").unwrap(), "Contoso");
        assert_eq!(by(&Uuid::from_u128(2).to_string()).unwrap(), "Fabrikam");
        assert!(matches!(by("Adatum"), Err(LookupError::NoClient { .. })));
    }

    #[test]
    fn two_credentials_of_one_name_must_be_told_apart() {
        let twins = vec![
            a_credential(1, "anna@contoso.com"),
            a_credential(2, "Anna@Contoso.com"),
            a_credential(3, "ben@contoso.com"),
        ];
        let by = |wanted: &str| one_credential(twins.clone(), wanted).map(|it| it.id);
        assert!(matches!(
            by("anna@contoso.com"),
            Err(LookupError::ManyCredentials { count: 2, .. })
        ));
        assert_eq!(by("ben@contoso.com").unwrap(), Uuid::from_u128(3));
        let second = Uuid::from_u128(2);
        assert_eq!(by(&second.to_string()).unwrap(), second);
        assert!(matches!(by("eve"), Err(LookupError::NoCredential { .. })));
    }
}
