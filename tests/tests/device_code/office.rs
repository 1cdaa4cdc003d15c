//! A tenant with an administrator who enters codes, and setup that asks for one.

use std::sync::Arc;

use agent_bin::administrator::ShowCode;
use agent_bin::config::{ClientConfig, Config, SignIn};
use agent_bin::secrets::{Administrator, SecretFiles};
use agent_bin::setup::{self, SetupDone, SetupError, SetupRequest};
use entra_sim::{AppSpec, Simulator, UserSpec};
use integration_tests::{APP, CLIENT, PERMISSIONS, World, WorldBuilder};

pub(crate) const ADMIN: &str = "admin@contoso.com";
pub(crate) const ANNA: &str = "anna@contoso.com";
pub(crate) const FIRST: &str = "First-Passw0rd";

/// The agent's app is a public client without a role; the administrator has one.
pub(crate) fn builder() -> WorldBuilder {
    World::builder()
        .app(|_| AppSpec::public(APP).permissions(&PERMISSIONS))
        .user(UserSpec::new(ADMIN, FIRST).roles(&["User Administrator"]))
        .user(UserSpec::new(ANNA, FIRST))
}

/// A request that asks for a code, and a person who answers it.
pub(crate) fn request(
    world: &World,
    answer: impl Fn(&Simulator, &str) + Send + Sync + 'static,
) -> SetupRequest {
    let mut request = world.setup_request().unwrap();
    let by_device_code = |client: &mut ClientConfig| {
        client.microsoft.sign_in = SignIn::DeviceCode;
        client.microsoft.client_secret_file = None;
    };
    by_device_code(&mut request.client);
    request.config.clients.iter_mut().for_each(by_device_code);
    request.show_code = answering(world, answer);
    request
}

pub(crate) fn answering(
    world: &World,
    answer: impl Fn(&Simulator, &str) + Send + Sync + 'static,
) -> ShowCode {
    let simulator = world.simulator.clone();
    Arc::new(move |notice| answer(&simulator, &notice.user_code))
}

pub(crate) fn approves(simulator: &Simulator, code: &str) {
    simulator.approve_device(code, ADMIN).unwrap();
}

pub(crate) async fn enrol(world: &World) -> Result<SetupDone, SetupError> {
    setup::run(request(world, approves)).await
}

pub(crate) async fn enrolled(builder: WorldBuilder) -> World {
    let world = builder.start().await.unwrap();
    enrol(&world).await.unwrap();
    world
}

pub(crate) fn config(world: &World) -> (Config, ClientConfig) {
    let config = world.config().unwrap();
    let client = config.clients[0].clone();
    (config, client)
}

/// What the machine keeps of the sign-in.
pub(crate) fn kept(world: &World) -> Administrator {
    let secrets = secrets(world);
    let enrolment = secrets.load_enrolment(CLIENT).unwrap().unwrap();
    secrets
        .load_administrator(&enrolment.key().unwrap())
        .unwrap()
}

pub(crate) fn secrets(world: &World) -> SecretFiles {
    SecretFiles::beside(&world.config().unwrap().state.url)
}

/// The file with the sealed sign-in.
pub(crate) fn sealed_file(world: &World) -> std::path::PathBuf {
    let client = world.client.id;
    let folder = secrets(world).folder().to_owned();
    folder.join(format!("{client}.administrator.sealed"))
}
