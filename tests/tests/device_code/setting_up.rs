//! Setup with a device code: whom it takes, and what it leaves.

use agent_bin::administrator::AdministratorError;
use agent_bin::causes::chain;
use agent_bin::config::SignIn;
use agent_bin::setup::{self, SetupError};
use entra_sim::{AccountChange, Simulator, UserSpec, UserType};
use integration_tests::{TENANT, World};
use jiff::SignedDuration;

use crate::office::{ADMIN, FIRST, approves, builder, enrol, kept, request, sealed_file};

/// Setup with this answer to the code; nothing is left of it.
async fn refused(
    world: &World,
    answer: impl Fn(&Simulator, &str) + Send + Sync + 'static,
) -> (String, SetupError) {
    let error = setup::run(request(world, answer)).await.unwrap_err();
    assert!(!world.config_path().exists(), "no configuration is left");
    let secrets = world.folder().join("agent").join("secrets");
    let left = std::fs::read_dir(secrets).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no secret is left");
    let line = chain(&error);
    assert!(error.hint().is_some(), "{line}");
    (line, error)
}

#[tokio::test]
async fn an_administrator_who_enters_the_code_is_kept_sealed() {
    let world = builder().start().await.unwrap();
    let done = enrol(&world).await.unwrap();
    assert_eq!(done.preflight.findings, []);
    let (_, client) = crate::office::config(&world);
    assert_eq!(client.microsoft.sign_in, SignIn::DeviceCode);
    let administrator = kept(&world);
    assert_eq!(administrator.user_name.as_str(), ADMIN);
    let id = world.simulator.user_id(TENANT, ADMIN).unwrap();
    assert_eq!(administrator.object.0, id);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(sealed_file(&world))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn who_declines_or_comes_too_late_enrols_nothing() {
    let world = builder().start().await.unwrap();
    let declines = |simulator: &Simulator, code: &str| simulator.decline_device(code).unwrap();
    let (line, error) = refused(&world, declines).await;
    assert_eq!(
        line,
        "no administrator is signed in: the sign-in was declined"
    );
    assert!(error.is_not_authorised());
    let is_late = |simulator: &Simulator, _: &str| simulator.advance(SignedDuration::from_mins(16));
    let (line, _) = refused(&world, is_late).await;
    assert!(line.ends_with("nobody entered the code in time"), "{line}");
}

#[tokio::test]
async fn an_account_without_a_role_or_of_another_tenant_is_refused() {
    let guest = UserSpec::new("msp_fabrikam.example#EXT#@contoso.com", FIRST)
        .guest()
        .roles(&["User Administrator"]);
    let world = builder().user(guest).start().await.unwrap();
    let (line, error) = refused(&world, |simulator, code| {
        simulator.approve_device(code, "anna@contoso.com").unwrap();
    })
    .await;
    assert!(matches!(error, SetupError::Powerless { .. }), "{line}");
    let (line, error) = refused(&world, |simulator, code| {
        let name = "msp_fabrikam.example#EXT#@contoso.com";
        simulator.approve_device(code, name).unwrap();
    })
    .await;
    let SetupError::Administrator(cause) = &error else {
        panic!("{line}");
    };
    assert!(
        matches!(**cause, AdministratorError::Stranger { .. }),
        "{line}"
    );
    assert!(error.is_not_authorised());
    // An account that the tenant does not know cannot even enter the code.
    let (line, _) = refused(&world, |simulator, code| {
        assert!(
            simulator
                .approve_device(code, "boss@fabrikam.example")
                .is_err()
        );
        simulator.decline_device(code).unwrap();
    })
    .await;
    assert!(line.contains("declined"), "{line}");
}

#[tokio::test]
async fn an_app_that_is_no_public_client_is_named_with_what_to_do() {
    let world = builder()
        .app(|app| entra_sim::AppSpec {
            public_client: false,
            ..app
        })
        .start()
        .await
        .unwrap();
    let (line, error) = refused(&world, approves).await;
    assert!(
        line.contains("is not a public client (AADSTS7000218)"),
        "{line}"
    );
    assert!(error.hint().unwrap().contains("public client flows"));
}

#[tokio::test]
async fn a_setup_that_fails_at_its_end_takes_the_sign_in_back() {
    let world = builder().start().await.unwrap();
    let mut spoilt = request(&world, approves);
    // No file system has room for such a name.
    spoilt.config_path = world.folder().join("agent").join("x".repeat(300));
    setup::run(spoilt).await.unwrap_err();
    let secrets = world.folder().join("agent").join("secrets");
    assert_eq!(std::fs::read_dir(secrets).unwrap().count(), 0);
}

#[tokio::test]
async fn what_the_person_reads_names_the_page_and_the_code() {
    let (said, heard) = std::sync::mpsc::channel();
    let show =
        agent_bin::administrator::show_in_words(move |text| said.send(text.to_owned()).unwrap());
    show(&msgraph_sync::DeviceCodeNotice {
        address: "https://login.example/device".to_owned(),
        user_code: "ABCD1234".to_owned(),
        expires_in: std::time::Duration::from_mins(15),
    });
    let text = heard.recv().unwrap();
    for word in ["https://login.example/device", "ABCD1234", "15 minutes"] {
        assert!(text.contains(word), "{text}");
    }
}

#[tokio::test]
async fn an_account_that_is_disabled_meanwhile_is_told() {
    let world = builder().start().await.unwrap();
    let (line, error) = refused(&world, |simulator, code| {
        approves(simulator, code);
        let change = AccountChange {
            account_enabled: Some(false),
            user_type: Some(UserType::Member),
            ..AccountChange::default()
        };
        simulator.change_user(TENANT, ADMIN, change).unwrap();
    })
    .await;
    assert!(
        line.contains("the account is disabled (AADSTS50057)"),
        "{line}"
    );
    assert!(error.is_not_authorised());
}
