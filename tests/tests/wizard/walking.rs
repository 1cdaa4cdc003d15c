//! Ways through the wizard that go well.

use std::sync::Arc;
use std::time::Duration;

use agent_bin::administrator::ShowCode;
use agent_bin::config::SignIn;
use entra_sim::{AppSpec, UserSpec};
use integration_tests::{
    ADMIN_EMAIL, ADMIN_PASSWORD, APP, APP_SECRET, CLIENT, ORGANIZATION_KEY, PERMISSIONS, TENANT,
    World, eventually,
};
use passportal_client::wire::SyncMode;

use crate::person::{Answer, Person, choice, line, options, walk, walk_with};

const ANNA: &str = "anna@contoso.com";
const ADMIN: &str = "admin@contoso.com";
const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";

/// Everything up to the sign-in to Microsoft.
pub(crate) fn to_the_tenant(world: &World) -> Vec<Answer> {
    vec![
        choice("Which integration", "Azure AD"),
        choice("Where is your Passportal", "A vault of your own"),
        line("Its address", &world.vault_url),
        line("E-mail", ADMIN_EMAIL),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        choice("For which client", CLIENT),
        line("Organization key", ORGANIZATION_KEY),
        line("Tenant", TENANT),
        choice("In which cloud", "global"),
    ]
}

pub(crate) fn by_secret() -> Vec<Answer> {
    vec![
        choice("How does the agent sign in", "Client secret"),
        Answer::Agrees("registered", true),
        line("Client secret", APP_SECRET),
        line("client id", APP.to_string()),
        choice("as a service", "No"),
    ]
}

async fn pushes(world: &World) {
    let id = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap().id;
    let agent = world.run_agent(Duration::from_secs(1)).await.unwrap();
    world.type_password(id, SECOND).await.unwrap();
    eventually("the password is set", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn from_nothing_to_a_syncing_agent_with_a_client_secret() {
    let world = World::builder().user(UserSpec::new(ANNA, FIRST));
    let world = world.start().await.unwrap();
    let answers = [to_the_tenant(&world), by_secret()].concat();
    let mut person = Person::with(answers);
    let done = walk(&world, &mut person).await.unwrap();
    assert_eq!(done.client, CLIENT);
    assert!(person.is_done());
    let transcript = person.transcript();
    for step in 1..=8 {
        assert!(
            transcript.contains(&format!("Step {step} of")),
            "{transcript}"
        );
    }
    for secret in [ADMIN_PASSWORD, ORGANIZATION_KEY, APP_SECRET] {
        assert!(!transcript.contains(secret), "a secret was said");
    }
    let draft = world.config_path().with_extension("draft.toml");
    assert!(!draft.exists(), "nothing is left of the answers");
    pushes(&world).await;
}

#[tokio::test]
async fn an_administrator_enters_the_code_that_is_shown() {
    let world = World::builder()
        .app(|_| AppSpec::public(APP).permissions(&PERMISSIONS))
        .user(UserSpec::new(ADMIN, FIRST).roles(&["User Administrator"]))
        .user(UserSpec::new(ANNA, FIRST));
    let world = world.start().await.unwrap();
    let mut answers = to_the_tenant(&world);
    answers.extend([
        choice("How does the agent sign in", "Administrator by device code"),
        Answer::Agrees("registered", false),
        line("client id", APP.to_string()),
        choice("as a service", "Yes, as an account of its own"),
        Answer::Agrees("in this terminal", false),
    ]);
    let mut person = Person::with(answers);
    let simulator = world.simulator.clone();
    let show: ShowCode = Arc::new(move |notice| {
        simulator.approve_device(&notice.user_code, ADMIN).unwrap();
    });
    walk_with(&world, &mut person, options(&world), show)
        .await
        .unwrap();
    let transcript = person.transcript();
    assert!(transcript.contains("Delegated"), "{transcript}");
    let script = world
        .folder()
        .join("agent")
        .join("contoso.register-app.ps1");
    let script = std::fs::read_to_string(script).unwrap();
    assert!(script.contains("Oauth2PermissionScopes"), "{script}");
    let config = world.config().unwrap();
    assert_eq!(config.clients[0].microsoft.sign_in, SignIn::DeviceCode);
    pushes(&world).await;
}

#[tokio::test]
async fn a_certificate_is_made_and_its_public_half_is_shown_until_the_app_has_it() {
    let world = World::builder().user(UserSpec::new(ANNA, FIRST));
    let world = world.start().await.unwrap();
    let mut answers = to_the_tenant(&world);
    answers.extend([
        choice("How does the agent sign in", "Certificate"),
        choice("Which certificate", "Make one now"),
        line("client id", APP.to_string()),
        // The app does not have it yet: the agent says so, and the person stops there.
        choice("What now", "Stop here"),
    ]);
    let mut person = Person::with(answers);
    walk(&world, &mut person).await.unwrap_err();
    let transcript = person.transcript();
    assert!(transcript.contains("BEGIN CERTIFICATE"), "{transcript}");
    assert!(!transcript.contains("PRIVATE KEY"), "{transcript}");
    assert!(
        transcript.contains("does not accept the certificate"),
        "{transcript}"
    );
    assert!(!world.config_path().exists());

    // The administrator uploads it; the second run goes on where the first one was.
    let folder = world.folder().join("agent");
    let public = std::fs::read_to_string(folder.join("contoso.public.pem")).unwrap();
    world.trust_certificate(&public).unwrap();
    let mut person = Person::with([
        Answer::Agrees("begun before", true),
        choice("Which integration", "Azure AD"),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        line("Organization key", ORGANIZATION_KEY),
        choice("as a service", "No"),
    ]);
    walk(&world, &mut person).await.unwrap();
    let config = world.config().unwrap();
    assert_eq!(config.clients[0].microsoft.sign_in, SignIn::Certificate);
    pushes(&world).await;
}

#[tokio::test]
async fn what_the_options_say_is_not_asked() {
    let world = World::builder().start().await.unwrap();
    let mut args = options(&world);
    args.base_url = Some(world.vault_url.parse().unwrap());
    args.email = Some(ADMIN_EMAIL.to_owned());
    args.client = Some(CLIENT.to_owned());
    args.tenant = Some(TENANT.to_owned());
    args.sign_in = Some("client-secret".to_owned());
    args.client_secret_file = Some(world.secret_file("app-secret", APP_SECRET).unwrap());
    args.client_id = Some(APP.to_string());
    let mut person = Person::with([
        choice("Which integration", "Azure AD"),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        line("Organization key", ORGANIZATION_KEY),
        choice("as a service", "No"),
    ]);
    let no_code = agent_bin::administrator::show_in_words(|text| panic!("{text}"));
    walk_with(&world, &mut person, args, no_code).await.unwrap();
    assert!(person.is_done());
}

#[tokio::test]
async fn a_service_that_does_not_work_is_told_as_one_and_a_terminal_may_do_instead() {
    use crate::person::{KNOWN_ACCOUNT, Machine};
    use agent_bin::wizard::{self, Asker, Services, Then};

    let own = vec![choice("as a service", "Yes, as an account of its own")];
    let named = vec![
        choice("as a service", "Yes, as an account that I name"),
        line("account's name", "nobody"),
        line("account's name", KNOWN_ACCOUNT),
    ];
    let here = vec![Answer::Agrees("in this terminal", true)];
    for (machine, last, then, told) in [
        (
            Machine::ThatNeverWorks,
            own.clone(),
            Then::Nothing,
            vec!["it does not work yet"],
        ),
        (
            Machine::ThatNeverWorks,
            named.clone(),
            Then::Nothing,
            vec!["this machine knows no user nobody", "no domain controller"],
        ),
        (
            Machine::WithoutServices,
            [named, here].concat(),
            Then::RunHere,
            vec!["the service can run as sync", "No service manager"],
        ),
    ] {
        let world = World::builder().start().await.unwrap();
        let mut answers = [to_the_tenant(&world), by_secret()].concat();
        answers.pop();
        answers.extend(last);
        let mut person = Person::with(answers);
        let no_code = agent_bin::administrator::show_in_words(|text| panic!("{text}"));
        let machine = (&mut person as &mut dyn Asker, &machine as &dyn Services);
        let ended = wizard::run(options(&world), &world.config_path(), machine, no_code).await;
        assert_eq!(ended.unwrap().1, then);
        let transcript = person.transcript();
        assert!(person.is_done(), "{transcript}");
        for told in told {
            assert!(transcript.contains(told), "{transcript}");
        }
    }
}
