//! `passportal credentials import|export`: many stored passwords as CSV, sealed and opened on this machine.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::Context as _;
use passportal_client::PersonSession;
use passportal_client::credential_table::{
    self, Clear, ExportRow, Formulas, ImportRow, RefusedRow, Table,
};
use passportal_client::envelope::{DataKey, KeyEncryptionKey, OrganizationKey};
use passportal_client::wire::{Client, Credential, Import, ImportedCredential};
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::arguments::{ExportCredentials, ImportCredentials};
use crate::ending::Ending;
use crate::output::{Output, Paint, Sheet, Shown, Tone};
use crate::{lookup, organization};

/// What an import did, or would do.
#[derive(Debug, Serialize)]
struct Report {
    stored: bool,
    added: usize,
    updated: usize,
    left: usize,
    refused: Vec<RefusedLine>,
}

#[derive(Debug, Serialize)]
struct RefusedLine {
    line: u64,
    reason: String,
}

impl RefusedLine {
    fn new(row: &RefusedRow) -> Self {
        Self {
            line: row.line,
            reason: row.reason.clone(),
        }
    }
}

impl Shown for Report {
    fn text(&self, paint: Paint) -> String {
        let mut sheet = Sheet::new(paint, &["line", "refused because"]);
        for row in &self.refused {
            sheet.row([
                (row.line.to_string(), Tone::Normal),
                (row.reason.clone(), Tone::Bad),
            ]);
        }
        let did = if self.stored { "" } else { "would be " };
        format!(
            "{did}added: {}, {did}updated: {}, left as they are: {}, refused: {}\n{}",
            self.added,
            self.updated,
            self.left,
            self.refused.len(),
            sheet.text_or("")
        )
    }
}

/// Imports a file, all or nothing, or shows what it would do.
pub(super) async fn import(
    person: &PersonSession,
    options: &ImportCredentials,
    output: &Output,
) -> anyhow::Result<Ending> {
    let file = std::fs::read(&options.file)
        .map(Zeroizing::new)
        .with_context(|| format!("could not read {}", options.file.display()))?;
    let key = organization::read_key(&options.organization_key_file)?;
    let table = credential_table::read(&file)?;
    let clients = person.clients().await?;
    let otherwise = otherwise(person, &clients, options.client.as_deref()).await?;
    let mut there = Vec::new();
    for client in credential_table::clients_of(&table, &clients, otherwise) {
        there.extend(person.credentials(client).await?);
    }
    let decision = credential_table::decide(&table, &clients, otherwise, &there);
    let updated = if options.update {
        decision.existing.as_slice()
    } else {
        &[]
    };
    let import = sealed(person, &key, &clients, &decision.new, updated).await?;
    if !options.dry_run {
        person.import(&import).await?;
    }
    note_what_is_left_out(&table, output);
    let (added, updated) = (import.new.len(), import.updates.len());
    output.show(&Report {
        stored: !options.dry_run,
        added,
        updated,
        left: decision.existing.len() - updated,
        refused: decision.refused.iter().map(RefusedLine::new).collect(),
    })?;
    Ok(Ending::Done)
}

/// The client of rows that name none: the one that is asked for, or the company vault.
async fn otherwise(
    person: &PersonSession,
    clients: &[Client],
    name: Option<&str>,
) -> anyhow::Result<Uuid> {
    if let Some(name) = name {
        return Ok(lookup::client(person, name).await?.id);
    }
    let company_vault = clients.iter().find(|client| client.company_vault);
    let company_vault = company_vault
        .context("you have no access to the company vault; name a client with --client")?;
    Ok(company_vault.id)
}

fn note_what_is_left_out(table: &Table, output: &Output) {
    if !table.unknown_columns.is_empty() {
        let columns = table.unknown_columns.join(", ");
        output.note(&format!("left out, not known: {columns}"));
    }
    if table.without_day > 0 {
        let count = table.without_day;
        output.note(&format!(
            "{count} rows expire on a day that the file does not tell"
        ));
    }
}

async fn sealed(
    person: &PersonSession,
    key: &OrganizationKey,
    clients: &[Client],
    new_rows: &[(&ImportRow, Uuid)],
    updated: &[(&ImportRow, &Credential)],
) -> anyhow::Result<Import> {
    let keys = Keys::new(key, clients)?;
    let mut import = Import::default();
    for (row, client) in new_rows {
        import.new.push(new(&keys, row, *client)?);
    }
    for (row, credential) in updated {
        let secrets = person.secrets(credential.id).await?;
        let key = keys.of(credential.client)?;
        let update = credential_table::update(&key, row, credential, &secrets);
        if update.password.is_some() || !update.patch.is_empty() {
            import.updates.push(update);
        }
    }
    Ok(import)
}

fn new(keys: &Keys<'_>, row: &ImportRow, client: Uuid) -> anyhow::Result<ImportedCredential> {
    Ok(ImportedCredential {
        client,
        credential: credential_table::new_credential(&keys.of(client)?, row),
    })
}

/// The data keys of all clients. The organization key is derived once.
struct Keys<'a> {
    clients: &'a [Client],
    kek: KeyEncryptionKey,
}

impl<'a> Keys<'a> {
    fn new(key: &OrganizationKey, clients: &'a [Client]) -> anyhow::Result<Self> {
        let any = clients.first().context("the vault shows no client")?;
        let kek = key.derive(&any.key.parameters)?;
        DataKey::unwrap(&kek, &any.key)?;
        Ok(Self { clients, kek })
    }

    fn of(&self, client: Uuid) -> anyhow::Result<DataKey> {
        let client = self.clients.iter().find(|it| it.id == client);
        let client = client.context("the client is gone")?;
        Ok(DataKey::unwrap(&self.kek, &client.key)?)
    }
}

/// Writes credentials in clear into a file of their owner's.
pub(super) async fn export(
    person: &PersonSession,
    options: &ExportCredentials,
    output: &Output,
) -> anyhow::Result<Ending> {
    let key = organization::read_key(&options.organization_key_file)?;
    let clients = lookup::clients(person, options.client.as_deref()).await?;
    let keys = Keys::new(&key, &clients)?;
    let mut stored = Vec::new();
    for client in &clients {
        let key = keys.of(client.id)?;
        for credential in person.credentials(client.id).await? {
            let secrets = person.secrets(credential.id).await?;
            let clear = Clear::open(&key, &secrets)
                .with_context(|| format!("the secrets of {}", credential.user_name))?;
            stored.push((client, credential, clear));
        }
    }
    let formulas = if options.neutralise_formulas {
        Formulas::Neutralised
    } else {
        Formulas::Exact
    };
    let rows = stored
        .iter()
        .map(|(client, credential, clear)| ExportRow::of(client, credential, clear));
    let bytes = credential_table::write(rows, formulas)?;
    write_new(&options.file, &bytes)?;
    let count = stored.len();
    output.note(&format!(
        "wrote {count} credentials in clear into {}; delete it when it has served",
        options.file.display()
    ));
    Ok(Ending::Done)
}

/// Never over a file that is there, and readable for its owner only.
fn write_new(path: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("could not make the file {}", path.display()))?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
