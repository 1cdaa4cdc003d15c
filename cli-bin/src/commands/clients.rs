//! `passportal clients`: the organization's clients and their settings.

use passportal_client::PersonSession;
use passportal_client::wire::{
    AgentCondition, Client, ClientPatch, FlagKind, MicrosoftSync, Mute, NewClient, SeenAgent,
};
use serde::Serialize;
use uuid::Uuid;

use crate::arguments::{AddClient, ClientsCommand, Global, SetClient};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, Paint, Sheet, Shown, Tone};
use crate::session;
use crate::{lookup, organization};

/// Clients, without their keys: nobody reads those.
#[derive(Debug, Serialize)]
struct Clients {
    clients: Vec<ClientLine>,
}

#[derive(Debug, Serialize)]
struct ClientLine {
    id: Uuid,
    name: String,
    company_vault: bool,
    sync: MicrosoftSync,
    default_mode: passportal_client::wire::SyncMode,
    mute: Mute,
    credentials: u32,
    flags: std::collections::BTreeMap<FlagKind, u32>,
    agents: Vec<SeenAgent>,
}

impl From<Client> for ClientLine {
    fn from(client: Client) -> Self {
        Self {
            id: client.id,
            name: client.name,
            company_vault: client.company_vault,
            sync: client.sync,
            default_mode: client.default_mode,
            mute: client.mute,
            credentials: client.credentials,
            flags: client.flags,
            agents: client.agents,
        }
    }
}

impl ClientLine {
    fn sync(&self) -> &'static str {
        match (self.sync, self.mute) {
            (MicrosoftSync::None, _) => "None",
            (MicrosoftSync::EntraId, Mute::Unmuted) => "Entra ID",
            (MicrosoftSync::EntraId, Mute::Muted) => "Entra ID, muted",
        }
    }

    fn agents(&self) -> String {
        let agents = self.agents.iter();
        let agents =
            agents.map(|it| format!("{}: {}", it.host, it.condition.label().to_lowercase()));
        agents.collect::<Vec<_>>().join(", ")
    }

    fn needs_a_look(&self) -> Tone {
        let is_bad = |it: &SeenAgent| {
            matches!(
                it.condition,
                AgentCondition::Silent | AgentCondition::Failing
            )
        };
        if self.agents.iter().any(is_bad) {
            Tone::Bad
        } else {
            Tone::Normal
        }
    }

    fn flags(&self) -> String {
        let flags: Vec<String> = self
            .flags
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(kind, count)| format!("{count} {}", kind.label()))
            .collect();
        flags.join(", ")
    }
}

impl Shown for Clients {
    fn text(&self, paint: Paint) -> String {
        let headings = [
            "client",
            "sync",
            "default mode",
            "credentials",
            "flags",
            "agents",
            "id",
        ];
        let mut sheet = Sheet::new(paint, &headings);
        for client in &self.clients {
            let name = if client.company_vault {
                format!("{} (company vault)", client.name)
            } else {
                client.name.clone()
            };
            sheet.row([
                (name, Tone::Normal),
                (client.sync().to_owned(), Tone::Normal),
                (client.default_mode.label().to_owned(), Tone::Normal),
                (client.credentials.to_string(), Tone::Normal),
                (client.flags(), Tone::Bad),
                (client.agents(), client.needs_a_look()),
                (client.id.to_string(), Tone::Faint),
            ]);
        }
        sheet.text_or("no clients")
    }
}

pub(super) async fn run(
    command: &ClientsCommand,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let person = session::resume(global.session.as_deref())?;
    let clients = match command {
        ClientsCommand::List => person.clients().await?,
        ClientsCommand::Add(options) => vec![add(&person, options).await?],
        ClientsCommand::Set(options) => vec![set(&person, options).await?],
    };
    output.show(&Clients {
        clients: clients.into_iter().map(ClientLine::from).collect(),
    })?;
    Ok(Ending::Done)
}

/// Every organization has a company vault, whose key shows that the organization key is right.
async fn add(person: &PersonSession, options: &AddClient) -> anyhow::Result<Client> {
    let key = organization::read_key(&options.organization_key_file)?;
    let existing = person.clients().await?;
    let proof = existing.first().ok_or_else(|| {
        Refusal::new(
            "the organization has no company vault",
            "make the vault anew with `passportal-server init`",
        )
    })?;
    let id = Uuid::new_v4();
    let new = NewClient {
        id,
        name: options.name.clone(),
        sync: options.sync.into(),
        default_mode: options.default_mode.into(),
        key: organization::new_data_key(&key, &proof.key, id)?,
    };
    Ok(person.create_client(&new).await?)
}

async fn set(person: &PersonSession, options: &SetClient) -> anyhow::Result<Client> {
    let client = lookup::client(person, &options.name).await?;
    let mute = match (options.mute, options.unmute) {
        (true, _) => Some(Mute::Muted),
        (_, true) => Some(Mute::Unmuted),
        _ => None,
    };
    let patch = ClientPatch {
        name: options.rename.clone(),
        sync: options.sync.map(Into::into),
        default_mode: options.default_mode.map(Into::into),
        mute,
    };
    Ok(person.patch_client(client.id, &patch).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::samples::a_client;

    fn clients() -> Clients {
        let company = Client {
            company_vault: true,
            sync: MicrosoftSync::None,
            flags: std::collections::BTreeMap::new(),
            agents: Vec::new(),
            ..a_client(1, "Northwind IT")
        };
        let muted = Client {
            mute: Mute::Muted,
            ..a_client(2, "Contoso")
        };
        Clients {
            clients: [company, muted].map(ClientLine::from).into(),
        }
    }

    #[test]
    fn the_table_of_clients_is_as_reviewed() {
        insta::assert_snapshot!(clients().text(Paint::Plain));
    }

    #[test]
    fn no_key_of_a_client_is_shown_not_even_sealed() {
        let json = serde_json::to_string(&clients()).unwrap();
        assert!(!json.contains("c2VhbGVk") && !json.contains("salt"));
    }
}
