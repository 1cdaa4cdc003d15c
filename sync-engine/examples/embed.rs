//! Embeds the engine in a tool with a password list and a user list of its own.
#![expect(clippy::disallowed_methods, reason = "it has its own time")]
#![expect(clippy::print_stdout, reason = "it prints what it did")]

use std::sync::{Arc, Mutex, PoisonError};

use sync_engine::prelude::*;

const ID: Uuid = Uuid::from_u128(1);
const ANNA: &str = "anna@contoso.com";

struct PasswordList(Password);
#[async_trait]
impl CredentialVault for PasswordList {
    async fn lease(&self) -> Result<Lease, VaultError> {
        Ok(Lease::unshared())
    }
    async fn changes(&self, _: Option<&Cursor>, _: Wait) -> Result<VaultChanges, VaultError> {
        let client = ClientSettings::new(ClientId(ID), "Contoso");
        let anna = VaultCredential::new(CredentialId(ID), ANNA, SyncMode::Enabled, &self.0);
        Ok(VaultChanges::full(VaultEpoch(ID), client, vec![anna]))
    }
    #[rustfmt::skip]
    async fn password(&self, _: CredentialId, _: VaultVersion) -> Result<PasswordAnswer, VaultError> {
        Ok(PasswordAnswer::Current(self.0.clone()))
    }
    async fn note_attempts(&self, _: &[AttemptNotice]) -> Result<(), VaultError> {
        Ok(()) // A vault that outlives the process keeps them, so that nobody is locked out.
    }
    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        println!("the vault is told: {:?}", report.entries);
        Ok(())
    }
}

struct UserList(Mutex<(String, Timestamp)>);
#[async_trait]
impl Directory for UserList {
    async fn changes(&self, _: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        let (_, stamp) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let anna = Account::member(ObjectId(ID), ANNA, Some(Stamp(stamp)));
        Ok(DirectoryChanges::full(vec![anna]))
    }
    async fn domains(&self) -> Result<Domains, DirectoryError> {
        Ok([("contoso.com".to_owned(), DomainKind::Managed)].into())
    }
    async fn verify(&self, _: &UserPrincipalName, password: &Password) -> SignIn {
        match self.0.lock() {
            Ok(user) if user.0 == password.expose() => SignIn::matched(),
            _ => SignIn::mismatched(),
        }
    }
    async fn set_password(&self, _: ObjectId, password: &Password) -> SetPassword {
        let mut user = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *user = (password.expose().to_owned(), Timestamp::now());
        SetPassword::Accepted(Accepted::at(user.1))
    }
}

#[tokio::main]
async fn main() -> Result<(), EngineError> {
    let users = UserList(Mutex::new((
        "Winter-2025!".to_owned(),
        Timestamp::UNIX_EPOCH,
    )));
    let (now, new_id) = (Timestamp::now, Uuid::new_v4);
    let sleep = |time| tokio::time::sleep(time).boxed();
    let ports = Ports {
        vault: Arc::new(PasswordList(Password::new("Spring-2026!"))),
        directory: Arc::new(users),
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(ClockOf { now, sleep, new_id }),
    };
    let mut engine = Engine::new(ports, Policy::default());
    let report = engine.cycle(Wait::No, &Unwatched).await?;
    println!("{} password written", report.done(StepKind::Push));
    Ok(())
}
