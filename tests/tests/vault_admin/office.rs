//! A tenant with an administrator whose password is in the vault, and setup that takes it from there.

use agent_bin::administrator::show_in_words;
use agent_bin::config::{ClientConfig, Config, SignIn};
use agent_bin::secrets::{Administrator, SecretFiles};
use agent_bin::setup::{self, SetupDone, SetupError, SetupRequest};
use agent_bin::sign_in_anew::{self, SignInAnewError, SignedInAnew};
use entra_sim::{AppSpec, UserSpec};
use integration_tests::{APP, CLIENT, PERMISSIONS, World, WorldBuilder};

pub(crate) const ADMIN: &str = "admin@contoso.com";
pub(crate) const BOSS: &str = "boss@contoso.com";
pub(crate) const ANNA: &str = "anna@contoso.com";
pub(crate) const FIRST: &str = "First-Passw0rd";
pub(crate) const SECOND: &str = "Second-Passw0rd";

/// The agent's app is a public client without a role; the administrators have one.
pub(crate) fn builder() -> WorldBuilder {
    World::builder()
        .app(|_| AppSpec::public(APP).permissions(&PERMISSIONS))
        .user(UserSpec::new(ADMIN, FIRST).roles(&["User Administrator"]))
        .user(UserSpec::new(BOSS, FIRST).roles(&["Privileged Authentication Administrator"]))
        .user(UserSpec::new(ANNA, FIRST))
}

pub(crate) fn request(world: &World) -> SetupRequest {
    let mut request = world.setup_request().unwrap();
    let by_vault_admin = |client: &mut ClientConfig| {
        client.microsoft.sign_in = SignIn::VaultAdmin;
        client.microsoft.client_secret_file = None;
    };
    by_vault_admin(&mut request.client);
    request.config.clients.iter_mut().for_each(by_vault_admin);
    request.show_code = std::sync::Arc::new(|_| panic!("no code is asked for"));
    request
}

pub(crate) async fn enrol(world: &World) -> Result<SetupDone, SetupError> {
    setup::run(request(world)).await
}

/// An agent that has signed in with the administrator's first password.
pub(crate) async fn enrolled(builder: WorldBuilder) -> World {
    let world = builder.start().await.unwrap();
    world.add_administrator(ADMIN, FIRST).await.unwrap();
    enrol(&world).await.unwrap();
    world
}

pub(crate) async fn sign_in_anew(world: &World) -> Result<SignedInAnew, SignInAnewError> {
    let (config, client) = config(world);
    let no_code = show_in_words(|text| panic!("{text}"));
    sign_in_anew::run(&config, &client, &no_code).await
}

pub(crate) fn config(world: &World) -> (Config, ClientConfig) {
    let config = world.config().unwrap();
    let client = config.clients[0].clone();
    (config, client)
}

/// What the machine keeps of the sign-in.
pub(crate) fn kept(world: &World) -> Administrator {
    let secrets = SecretFiles::beside(&world.config().unwrap().state.url);
    let enrolment = secrets.load_enrolment(CLIENT).unwrap().unwrap();
    secrets
        .load_administrator(&enrolment.key().unwrap())
        .unwrap()
}
