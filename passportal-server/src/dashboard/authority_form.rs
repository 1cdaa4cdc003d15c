//! The part of a form that says what somebody may do: role, clients, "Set up sync".

use std::collections::{BTreeMap, BTreeSet};

use passportal_client::wire::{Authority, Client, ClientAccess, Role};
use uuid::Uuid;

/// The fields of such a form; each assigned client as `client.ID`.
pub(super) type Fields = BTreeMap<String, String>;

/// What the fields say; `None` where they name no role.
pub(super) fn authority(fields: &Fields) -> Option<Authority> {
    let role = fields.get("role")?;
    let role = Role::ALL.into_iter().find(|it| it.name() == role)?;
    let access = match fields.get("access").map(String::as_str) {
        Some("all") => ClientAccess::All,
        _ => ClientAccess::Assigned(clients(fields)),
    };
    Some(Authority {
        role,
        access,
        set_up_sync: fields.contains_key("set_up_sync"),
    })
}

fn clients(fields: &Fields) -> BTreeSet<Uuid> {
    let ids = fields
        .keys()
        .filter_map(|name| name.strip_prefix("client."));
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// The same as it stands in a form.
pub(super) struct AuthorityView {
    pub(super) roles: Vec<(Role, bool)>,
    pub(super) has_all: bool,
    pub(super) set_up_sync: bool,
    pub(super) clients: Vec<ClientChoice>,
}

/// A client that can be assigned.
pub(super) struct ClientChoice {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) is_assigned: bool,
}

impl AuthorityView {
    pub(super) fn new(authority: &Authority, clients: &[Client]) -> Self {
        let none = BTreeSet::new();
        let assigned = match &authority.access {
            ClientAccess::All => &none,
            ClientAccess::Assigned(assigned) => assigned,
        };
        let choice = |client: &Client| ClientChoice {
            id: client.id,
            name: client.name.clone(),
            is_assigned: assigned.contains(&client.id),
        };
        Self {
            roles: Role::ALL.map(|role| (role, role == authority.role)).into(),
            has_all: authority.access == ClientAccess::All,
            set_up_sync: authority.set_up_sync,
            clients: clients.iter().map(choice).collect(),
        }
    }
}

/// Which clients, in a few words.
pub(super) fn access_label(authority: &Authority) -> String {
    match &authority.access {
        ClientAccess::Assigned(clients) if authority.role != Role::OrganizationAdmin => {
            match clients.len() {
                0 => "No client yet".to_owned(),
                1 => "1 client".to_owned(),
                count => format!("{count} clients"),
            }
        }
        _ => "All clients".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(names: &[(&str, &str)]) -> Fields {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        names.iter().map(owned).collect()
    }

    #[test]
    fn a_form_without_a_word_about_access_gives_none() {
        let read = authority(&fields(&[("role", "technician")])).unwrap();
        assert_eq!(read.access, ClientAccess::Assigned(BTreeSet::new()));
        assert!(!read.set_up_sync);
        assert_eq!(authority(&fields(&[("access", "all")])), None);
        assert_eq!(authority(&fields(&[("role", "owner")])), None);
    }
}
