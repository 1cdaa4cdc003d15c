//! `passportal credentials`: stored passwords, sealed on this machine before they leave it.

use passportal_client::wire::{
    Credential, CredentialPatch, FlagKind, NewCredential, NewPassword, Standing, SyncMode,
};
use passportal_client::{ApiError, PersonSession};
use serde::Serialize;
use uuid::Uuid;

use super::credential_tables;
use crate::arguments::{
    AddCredential, CredentialsCommand, Global, Named, OwnModeWord, SetMode, SetPassword,
};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, Paint, Sheet, Shown, Tone, time};
use crate::{lookup, organization, secret_file, session};

/// Credentials, with the names of their clients.
#[derive(Debug, Serialize)]
struct Credentials {
    credentials: Vec<CredentialLine>,
}

#[derive(Debug, Serialize)]
struct CredentialLine {
    client_name: String,
    #[serde(flatten)]
    credential: Credential,
}

impl CredentialLine {
    fn mode(&self) -> String {
        let mode = self.credential.mode.label();
        match (self.credential.standing, self.credential.own_mode) {
            (Standing::Disabled, _) => "(disabled)".to_owned(),
            (Standing::Active, Some(_)) => mode.to_owned(),
            (Standing::Active, None) => format!("{mode} (inherited)"),
        }
    }

    fn flags(&self) -> String {
        let flags: Vec<&str> = self
            .credential
            .flags
            .keys()
            .copied()
            .map(FlagKind::label)
            .collect();
        flags.join(", ")
    }

    fn last_result(&self) -> &str {
        let result = self.credential.last_result.as_ref();
        result.map_or("not looked at yet", |result| &result.why)
    }
}

impl Shown for Credentials {
    fn text(&self, paint: Paint) -> String {
        let headings = [
            "client",
            "account",
            "mode",
            "version",
            "changed",
            "flags",
            "last result",
            "id",
        ];
        let mut sheet = Sheet::new(paint, &headings);
        for line in &self.credentials {
            let credential = &line.credential;
            sheet.row([
                (line.client_name.clone(), Tone::Normal),
                (credential.user_name.clone(), Tone::Normal),
                (line.mode(), Tone::Normal),
                (credential.version.to_string(), Tone::Normal),
                (time(credential.changed), Tone::Normal),
                (line.flags(), Tone::Bad),
                (line.last_result().to_owned(), Tone::Normal),
                (credential.id.to_string(), Tone::Faint),
            ]);
        }
        sheet.text_or("no credentials")
    }
}

pub(super) async fn run(
    command: &CredentialsCommand,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let person = session::resume(global.session.as_deref())?;
    let credentials = match command {
        CredentialsCommand::Import(options) => {
            return credential_tables::import(&person, options, output).await;
        }
        CredentialsCommand::Export(options) => {
            return credential_tables::export(&person, options, output).await;
        }
        CredentialsCommand::List { client } => list(&person, client.as_deref()).await?,
        CredentialsCommand::Add(options) => vec![add(&person, options).await?],
        CredentialsCommand::SetMode(options) => vec![set_mode(&person, options).await?],
        CredentialsCommand::SetPassword(options) => vec![set_password(&person, options).await?],
        CredentialsCommand::Confirm(named) => vec![confirm(&person, named).await?],
        CredentialsCommand::Disable(named) => {
            vec![set_standing(&person, named, Standing::Disabled).await?]
        }
        CredentialsCommand::Enable(named) => {
            vec![set_standing(&person, named, Standing::Active).await?]
        }
    };
    let credentials = with_client_names(&person, credentials).await?;
    output.show(&Credentials { credentials })?;
    Ok(Ending::Done)
}

async fn list(person: &PersonSession, client: Option<&str>) -> anyhow::Result<Vec<Credential>> {
    let mut credentials = Vec::new();
    for client in lookup::clients(person, client).await? {
        credentials.extend(person.credentials(client.id).await?);
    }
    Ok(credentials)
}

async fn add(person: &PersonSession, options: &AddCredential) -> anyhow::Result<Credential> {
    let password = secret_file::read_password(&options.password_file)?;
    let key = organization::read_key(&options.organization_key_file)?;
    let client = lookup::client(person, &options.client).await?;
    let key = organization::open(&key, &client.key)?;
    let id = Uuid::new_v4();
    let user_name = options.user_name.trim().to_owned();
    let new = NewCredential {
        id,
        credential_type: options.credential_type.clone(),
        sealed: organization::seal(&key, id, &user_name, 1, &password),
        user_name,
        description: options.description.clone(),
        notes: String::new(),
        own_mode: options.mode.map(SyncMode::from),
        folder: String::new(),
        url: String::new(),
        expires: None,
        totp: None,
    };
    Ok(person.create_credential(client.id, &new).await?)
}

async fn set_password(person: &PersonSession, options: &SetPassword) -> anyhow::Result<Credential> {
    let password = secret_file::read_password(&options.password_file)?;
    let key = organization::read_key(&options.organization_key_file)?;
    let credential = named(person, &options.named).await?;
    let client = person.client(credential.client).await?;
    let key = organization::open(&key, &client.key)?;
    let version = credential.version + 1;
    let new = NewPassword {
        version,
        sealed: organization::seal(
            &key,
            credential.id,
            &credential.user_name,
            version,
            &password,
        ),
        user_name: Some(credential.user_name.clone()),
    };
    match person.set_password(credential.id, &new).await {
        Err(ApiError::Conflict { .. }) => Err(changed_meanwhile(person, &credential).await),
        other => Ok(other?),
    }
}

/// Never written over: whoever changed it may have had a better reason.
async fn changed_meanwhile(person: &PersonSession, before: &Credential) -> anyhow::Error {
    match person.credential(before.id).await {
        Ok(now) => Refusal::new(
            format!(
                "somebody changed the password of {} meanwhile: it is at version {} since {}",
                before.user_name,
                now.version,
                time(now.changed)
            ),
            "look at it in the dashboard; run the command again to replace that password, too",
        )
        .into(),
        Err(error) => error.into(),
    }
}

async fn set_mode(person: &PersonSession, options: &SetMode) -> anyhow::Result<Credential> {
    let credential = named(person, &options.named).await?;
    let patch = CredentialPatch {
        own_mode: options.mode.mode(),
        inherit_mode: options.mode == OwnModeWord::Inherit,
        ..CredentialPatch::default()
    };
    Ok(person.patch_credential(credential.id, &patch).await?)
}

async fn confirm(person: &PersonSession, named_as: &Named) -> anyhow::Result<Credential> {
    let credential = named(person, named_as).await?;
    let patch = CredentialPatch {
        confirm_version: Some(credential.version),
        ..CredentialPatch::default()
    };
    Ok(person.patch_credential(credential.id, &patch).await?)
}

async fn set_standing(
    person: &PersonSession,
    named_as: &Named,
    standing: Standing,
) -> anyhow::Result<Credential> {
    let credential = named(person, named_as).await?;
    let patch = CredentialPatch {
        standing: Some(standing),
        ..CredentialPatch::default()
    };
    Ok(person.patch_credential(credential.id, &patch).await?)
}

async fn named(person: &PersonSession, named: &Named) -> anyhow::Result<Credential> {
    lookup::credential(person, &named.credential, named.client.as_deref()).await
}

async fn with_client_names(
    person: &PersonSession,
    credentials: Vec<Credential>,
) -> anyhow::Result<Vec<CredentialLine>> {
    let clients = person.clients().await?;
    let name = |id: Uuid| {
        let client = clients.iter().find(|client| client.id == id);
        client.map_or_else(|| id.to_string(), |client| client.name.clone())
    };
    let lines = credentials.into_iter().map(|credential| CredentialLine {
        client_name: name(credential.client),
        credential,
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::samples::{a_client, a_credential};
    use passportal_client::HttpConfig;
    use passportal_client::envelope::{DataKey, Field, OrganizationKey, Place};
    use secrecy::SecretString;
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    /// Answers as the vault does: `results` in its envelope, or a failure.
    async fn answer(server: &MockServer, verb: &str, at: &str, status: u16, body: Value) {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(server)
            .await;
    }

    fn success(results: impl Serialize) -> Value {
        json!({ "success": true, "apiRequestUid": Uuid::nil(), "results": results })
    }

    #[tokio::test]
    async fn a_password_that_somebody_changed_meanwhile_is_not_written_over() {
        let organization_key = OrganizationKey::new("the organization key");
        let mut client = a_client(1, "Contoso");
        let kek = organization_key.derive(&client.key.parameters).unwrap();
        let data_key = DataKey::generate(client.key.parameters.organization, client.id);
        client.key = data_key.wrap(&kek, &client.key.parameters);
        let before = a_credential(2, "anna@contoso.com");
        let now = Credential {
            version: 4,
            ..before.clone()
        };
        let server = MockServer::start().await;
        let clients = "/api/v2/vault/clients";
        let at_client = format!("{clients}/{}", client.id);
        let at_credential = format!("/api/v2/vault/credentials/{}", before.id);
        let conflict =
            json!({ "success": false, "message": "moved on", "code": 4009, "status": 409 });
        for (verb, at, status, body) in [
            ("GET", clients.to_owned(), 200, success([&client])),
            (
                "GET",
                format!("{at_client}/credentials"),
                200,
                success([&before]),
            ),
            ("GET", at_client, 200, success(&client)),
            ("PUT", format!("{at_credential}/password"), 409, conflict),
            ("GET", at_credential, 200, success(&now)),
        ] {
            answer(&server, verb, &at, status, body).await;
        }
        let files = tempfile::tempdir().unwrap();
        let (password_file, key_file) = (files.path().join("p"), files.path().join("k"));
        std::fs::write(&password_file, "Brand-New-1").unwrap();
        std::fs::write(&key_file, "the organization key\n").unwrap();
        let options = SetPassword {
            named: Named {
                credential: "anna@contoso.com".into(),
                client: None,
            },
            password_file,
            organization_key_file: key_file,
        };

        let http = HttpConfig::new(&server.uri()).unwrap();
        let person = PersonSession::from_token(&http, SecretString::from("token")).unwrap();
        let error = set_password(&person, &options).await.unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("somebody changed the password") && told.contains("version 4"),
            "{told}"
        );
        let requests = server.received_requests().await.unwrap();
        let sent = requests.iter().find(|it| it.method == "PUT").unwrap();
        let sent: NewPassword = sent.body_json().unwrap();
        let place = Place {
            credential: before.id,
            field: Field::Password,
            version: 4,
            user_name: "anna@contoso.com",
        };
        let opened = data_key.open(&place, &sent.sealed).unwrap();
        assert_eq!((sent.version, opened.expose()), (4, "Brand-New-1"));
    }

    #[test]
    fn the_table_of_credentials_is_as_reviewed() {
        let disabled = Credential {
            standing: Standing::Disabled,
            flags: std::collections::BTreeMap::new(),
            last_result: None,
            ..a_credential(2, "ben@contoso.com")
        };
        let inherits = Credential {
            own_mode: None,
            mode: SyncMode::Enabled,
            ..disabled.clone()
        };
        let inherits = Credential {
            standing: Standing::Active,
            user_name: "cleo@contoso.com".into(),
            ..inherits
        };
        let lines = [a_credential(1, "anna@contoso.com"), disabled, inherits];
        let credentials = Credentials {
            credentials: lines
                .map(|credential| CredentialLine {
                    client_name: "Contoso".into(),
                    credential,
                })
                .into(),
        };
        insta::assert_snapshot!(credentials.text(Paint::Plain));
    }
}
