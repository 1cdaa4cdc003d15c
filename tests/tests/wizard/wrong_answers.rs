//! Every wrong answer at every step is told with what to do, asked anew, and leaves nothing on the machine.

use agent_bin::wizard::WizardError;
use entra_sim::AppChange;
use integration_tests::{
    ADMIN_EMAIL, ADMIN_PASSWORD, APP, APP_SECRET, CLIENT, ORGANIZATION_KEY, TENANT, World,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::person::{Answer, Person, choice, line, walk};
use crate::walking::{by_secret, to_the_tenant};

/// A server that knows nothing of a vault.
async fn something_else() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    url
}

/// What setup could leave behind: a configuration, a secret, or an agent that the vault knows.
fn assert_untouched(world: &World) {
    assert!(!world.config_path().exists(), "a configuration is left");
    let folder = world.folder().join("agent");
    let secrets = std::fs::read_dir(folder.join("secrets")).map_or(0, Iterator::count);
    assert_eq!(secrets, 0, "a secret is left");
}

#[tokio::test]
async fn wrong_answers_are_asked_again_until_they_are_right() {
    let world = World::builder().start().await.unwrap();
    let nowhere = "http://127.0.0.1:9";
    let something_else = something_else().await;
    let mut answers = vec![
        choice("Which integration", "Azure AD"),
        // No address, one where nobody listens, http beyond this machine, and one that speaks something else.
        choice("Where is your Passportal", "A vault of your own"),
        line("Its address", "not an address"),
        line("Its address", nowhere),
        choice("Where is your Passportal", "A vault of your own"),
        line("Its address", "http://vault.example"),
        choice("Where is your Passportal", "A vault of your own"),
        line("Its address", &something_else),
        choice("Where is your Passportal", "A vault of your own"),
        line("Its address", &world.vault_url),
        // A wrong password, nobody's e-mail, and a code that the account does not have.
        line("E-mail", ADMIN_EMAIL),
        line("Password", "Wrong-Passw0rd"),
        line("One-time code", "none"),
        line("E-mail", "nobody@msp.example"),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        line("E-mail", ADMIN_EMAIL),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "123456"),
        line("E-mail", ADMIN_EMAIL),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        choice("For which client", CLIENT),
        line("Organization key", "some other organization's key"),
        line("Organization key", ORGANIZATION_KEY),
        // No tenant's name, and nobody's.
        line("Tenant", "a tenant"),
        choice("In which cloud", "global"),
        line("Tenant", "nobody.onmicrosoft.com"),
        choice("In which cloud", "global"),
        line("Tenant", TENANT),
        choice("In which cloud", "global"),
        // No certificate, no app, another app, a wrong secret.
        choice("How does the agent sign in", "Certificate"),
        choice("Which certificate", "I have one"),
        line("Its file", "/nowhere/app.pem"),
        line("client id", "not a guid"),
        line("client id", APP.to_string()),
        choice("What now", "Sign in another way"),
        choice("How does the agent sign in", "Client secret"),
        Answer::Agrees("registered", true),
        line("Client secret", APP_SECRET),
        line("client id", Uuid::from_u128(1).to_string()),
        choice("What now", "Change the app"),
        Answer::Agrees("registered", true),
        line("Client secret", "wrong"),
        line("client id", APP.to_string()),
        choice("What now", "Change the app"),
    ];
    answers.extend(by_secret().into_iter().skip(1));
    let mut person = Person::with(answers);
    walk(&world, &mut person).await.unwrap();
    assert!(person.is_done());
    let transcript = person.transcript();
    for told in [
        "write it with https:// before it",
        "127.0.0.1:9",
        "is not https",
        "was not understood",
        "not authorised",
        "no one-time code is set up",
        "the organization key does not open",
        "`a tenant`",
        "there is no tenant `nobody.onmicrosoft.com`",
        "/nowhere/app.pem",
        "that is no client id",
        "has no app",
        "the client secret of app",
    ] {
        assert!(
            transcript.contains(told),
            "{told:?} is missing in\n{transcript}"
        );
    }
}

#[tokio::test]
async fn stopping_anywhere_leaves_nothing_but_the_answers_and_the_next_run_goes_on() {
    let world = World::builder().start().await.unwrap();
    let mut all = [to_the_tenant(&world), by_secret()].concat();
    // The last question comes when all is done.
    all.pop();
    for stop in 1..all.len() {
        let mut answers = all[..stop].to_vec();
        let (Answer::Line(question, _)
        | Answer::Choice(question, _)
        | Answer::Agrees(question, _)
        | Answer::Stop(question)) = &all[stop];
        answers.push(Answer::Stop(question));
        let mut person = Person::with(answers);
        let error = walk(&world, &mut person).await.unwrap_err();
        assert!(matches!(error, WizardError::Stopped(_)), "{error}");
        assert_untouched(&world);
        let draft = world.config_path().with_extension("draft.toml");
        let kept = std::fs::read_to_string(&draft).unwrap_or_default();
        for secret in [ADMIN_PASSWORD, ORGANIZATION_KEY, APP_SECRET] {
            assert!(!kept.contains(secret), "a secret is in the draft");
        }
        // The next round begins anew.
        let _ = std::fs::remove_file(draft);
    }
}

#[tokio::test]
async fn another_integration_and_a_client_that_is_enrolled_are_refused() {
    let world = World::builder().start().await.unwrap();
    let mut person = Person::with([choice("Which integration", "Local Active Directory")]);
    let error = walk(&world, &mut person).await.unwrap_err();
    assert!(matches!(error, WizardError::OtherIntegration));
    assert!(error.hint().unwrap().contains("left alone"));

    world.enrol().await.unwrap();
    let mut person = Person::with([
        choice("Which integration", "Azure AD"),
        line("E-mail", ADMIN_EMAIL),
        line("Password", ADMIN_PASSWORD),
        line("One-time code", "none"),
        Answer::Agrees("Look again", false),
    ]);
    let error = walk(&world, &mut person).await.unwrap_err();
    assert!(matches!(error, WizardError::Stopped(_)), "{error}");
    let transcript = person.transcript();
    assert!(transcript.contains("serves 1 client(s)"), "{transcript}");
    assert!(
        transcript.contains("No client that is not enrolled here"),
        "{transcript}"
    );
}

#[tokio::test]
async fn an_app_that_may_do_too_little_is_tried_again_after_consent() {
    let world = World::builder().start().await.unwrap();
    let powerless = AppChange {
        roles: Some(Vec::new()),
        ..AppChange::default()
    };
    world.change_app(powerless).unwrap();
    let mut answers = [to_the_tenant(&world), by_secret()].concat();
    answers.pop();
    answers.push(choice("What now", "Stop here"));
    let mut person = Person::with(answers);
    walk(&world, &mut person).await.unwrap_err();
    assert_untouched(&world);
    let transcript = person.transcript();
    assert!(transcript.contains("role"), "{transcript}");
}
