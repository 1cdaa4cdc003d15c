//! An agent that is packed on one machine and unpacked on another: two folders here.

use sync_engine::model::{ObjectId, OrganizationId, UserPrincipalName};

use super::*;

const CANARY: &str = "canary-token";

fn passphrase() -> SecretString {
    SecretString::from("four words of a kind")
}

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn secrets(&self) -> SecretFiles {
        SecretFiles::at(self.folder.path().join("agent").join("secrets"))
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("app-secret")
    }

    /// With one client that an administrator signed in for, and one with a client secret.
    fn with_an_agent() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Self { folder };
        let state = machine.folder.path().join("agent").join("state.db");
        let text = format!(
            "[passportal]\nbase_url = 'https://vault.example'\n[state]\nurl = '{}'\n\
             [[client]]\nname = 'Contoso'\n[client.microsoft]\ntenant = 'contoso.com'\nsign_in = 'device-code'\nclient_id = 'a'\n\
             [[client]]\nname = 'Fabrikam'\n[client.microsoft]\ntenant = 'fabrikam.com'\nsign_in = 'client-secret'\n\
             client_id = 'b'\nclient_secret_file = '{}'\n",
            state_store::file_url(&state),
            machine.secret().display()
        );
        std::fs::write(machine.config(), text).unwrap();
        durable_file::replace(&machine.secret(), b"canary-secret", Audience::Owner).unwrap();
        for (number, name) in [(1, "Contoso"), (2, "Fabrikam")] {
            let key = DataKey::generate(Uuid::from_u128(9), Uuid::from_u128(number));
            let enrolment = Enrolment {
                client: ClientId(key.client()),
                client_name: name.to_owned(),
                organization: OrganizationId(key.organization()),
                agent: Uuid::from_u128(70 + number),
                token: SecretString::from(CANARY),
                key_id: key.id(),
                data_key: key.to_secret(),
            };
            machine.secrets().save_enrolment(&enrolment).unwrap();
            let administrator = Administrator {
                user_name: UserPrincipalName::new("admin@contoso.com"),
                object: ObjectId(Uuid::from_u128(7)),
                refresh_token: SecretString::from("canary-refresh"),
            };
            machine
                .secrets()
                .save_administrator(&key, &administrator)
                .unwrap();
        }
        machine
    }

    /// As if it were another machine: nothing of the agent is there.
    fn cleared(self) -> Self {
        std::fs::remove_dir_all(self.folder.path().join("agent")).unwrap();
        std::fs::remove_file(self.config()).unwrap();
        std::fs::remove_file(self.secret()).unwrap();
        self
    }

    fn is_clear(&self) -> bool {
        let secrets = std::fs::read_dir(self.secrets().folder()).map_or(0, Iterator::count);
        !self.config().exists() && secrets == 0
    }
}

#[test]
fn an_agent_moves_with_everything_that_it_needs() {
    let here = Machine::with_an_agent();
    let config = std::fs::read_to_string(here.config()).unwrap();
    let text = export(&here.config(), &passphrase()).unwrap();
    assert!(!text.contains("canary") && !text.contains("contoso"));

    let there = here.cleared();
    let moved = import(&text, &passphrase(), &there.config()).unwrap();
    assert_eq!(moved.clients, ["Contoso", "Fabrikam"]);
    assert_eq!(moved.files, [there.secret()]);
    assert_eq!(std::fs::read_to_string(there.config()).unwrap(), config);
    let enrolment = there.secrets().load_enrolment("Contoso").unwrap().unwrap();
    assert_eq!(enrolment.token.expose_secret(), CANARY);
    let key = enrolment.key().unwrap();
    let administrator = there.secrets().load_administrator(&key).unwrap();
    assert_eq!(
        administrator.refresh_token.expose_secret(),
        "canary-refresh"
    );
    let secret = SecretSources::new(None).read(&there.secret()).unwrap();
    assert_eq!(secret.expose_secret(), "canary-secret");
}

#[test]
fn a_wrong_passphrase_a_changed_file_and_another_format_open_nothing() {
    let here = Machine::with_an_agent();
    let text = export(&here.config(), &passphrase()).unwrap();
    let there = here.cleared();
    let other = SecretString::from("another passphrase");
    let error = import(&text, &other, &there.config()).unwrap_err();
    assert!(matches!(error, MoveError::WrongPassphrase), "{error}");
    for (spoilt, is_later) in [
        ("no JSON at all".to_owned(), false),
        (text.replace("\"format\": 1", "\"format\": 2"), true),
        (text.replacen("sealed\": \"", "sealed\": \"AAAA", 1), false),
    ] {
        let error = import(&spoilt, &passphrase(), &there.config()).unwrap_err();
        let later = matches!(error, MoveError::LaterFormat { format: 2 });
        assert_eq!(later, is_later, "{error}");
        assert!(!error.hint().is_empty());
    }
    assert!(there.is_clear());
}

#[test]
fn what_is_there_is_not_overwritten_and_nothing_else_is_left() {
    let here = Machine::with_an_agent();
    let text = export(&here.config(), &passphrase()).unwrap();
    let error = import(&text, &passphrase(), &here.config()).unwrap_err();
    assert!(matches!(error, MoveError::IsThere { .. }), "{error}");
    assert!(here.secrets().load_enrolment("Contoso").unwrap().is_some());

    let there = here.cleared();
    durable_file::replace(&there.secret(), b"another", Audience::Owner).unwrap();
    let error = import(&text, &passphrase(), &there.config()).unwrap_err();
    let MoveError::IsThere { path } = error else {
        panic!("{error}");
    };
    assert_eq!(path, there.secret());
    assert!(there.is_clear());
    assert_eq!(std::fs::read(there.secret()).unwrap(), b"another");
}

#[test]
fn a_short_passphrase_is_refused() {
    let here = Machine::with_an_agent();
    let short = SecretString::from("short");
    let error = export(&here.config(), &short).unwrap_err();
    assert!(matches!(error, MoveError::ShortPassphrase), "{error}");
}
