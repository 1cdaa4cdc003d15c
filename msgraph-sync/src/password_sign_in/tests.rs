//! A sign-in by password, first and later ones, against the simulated tenant.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use entra_sim::{AccountChange, Behaviour};
use secrecy::SecretString;
use sync_engine::model::{AttemptId, Password, SignIn, UserPrincipalName, Verdict};
use uuid::Uuid;

use super::sign_in_by_password;
use crate::test_world::{ADMIN, CONFIDENTIAL, Memory, PUBLIC, TENANT, World};
use crate::{
    EntraDirectory, GraphError, PasswordFault, PasswordNotSent, PasswordSignInError, PasswordTry,
    PersonPassword, SignInEnd, SignedInPerson, TenantConfig,
};

/// A password as a test types it, and everything that was asked and told.
struct Typed {
    password: Mutex<Option<String>>,
    asked: Mutex<Vec<Option<SignInEnd>>>,
    told: Mutex<Vec<SignIn>>,
}

impl Typed {
    fn of(password: &str) -> Arc<Self> {
        Arc::new(Self {
            password: Mutex::new(Some(password.to_owned())),
            asked: Mutex::default(),
            told: Mutex::default(),
        })
    }

    fn is_now(&self, password: Option<&str>) {
        *self.password.lock().unwrap() = password.map(str::to_owned);
    }

    fn asked(&self) -> Vec<Option<SignInEnd>> {
        self.asked.lock().unwrap().clone()
    }

    fn told(&self) -> Vec<SignIn> {
        self.told.lock().unwrap().clone()
    }
}

#[async_trait]
impl PersonPassword for Typed {
    async fn next(&self, end: Option<SignInEnd>) -> Result<PasswordTry, PasswordNotSent> {
        self.asked.lock().unwrap().push(end);
        let password = self.password.lock().unwrap().clone();
        let password = password.ok_or_else(|| PasswordNotSent {
            why: Arc::new(std::io::Error::other("nobody typed it")),
            remedy: "type it",
            passes: true,
        })?;
        Ok(PasswordTry {
            attempt: AttemptId(Uuid::from_u128(1)),
            user_name: UserPrincipalName::new(ADMIN),
            password: Password::new(&password),
        })
    }

    async fn ended(&self, _: AttemptId, outcome: &SignIn) {
        self.told.lock().unwrap().push(outcome.clone());
    }
}

async fn signed_in(world: &World, typed: &Arc<Typed>) -> Result<SecretString, GraphError> {
    let password = Arc::clone(typed) as Arc<dyn PersonPassword>;
    let answer = sign_in_by_password(world.connection(PUBLIC), None, password).await;
    answer.map_err(|error| match error {
        PasswordSignInError::Entra(error) => error,
        PasswordSignInError::Setup(error) => panic!("{error}"),
    })
}

async fn refused(world: &World, typed: &Arc<Typed>) -> (PasswordFault, Option<u32>) {
    match signed_in(world, typed).await.unwrap_err() {
        error @ GraphError::PasswordRefused { fault, code } => {
            assert!(error.hint().is_some() && error.is_not_authorised());
            (fault, code)
        }
        other => panic!("{other:?}"),
    }
}

/// The tenant's directory on behalf of an administrator whose password can be had.
async fn directory(world: &World, typed: &Arc<Typed>) -> EntraDirectory {
    let person = SignedInPerson {
        refresh_token: signed_in(world, typed).await.unwrap(),
        keeper: Arc::new(Memory::default()),
        password: Some(Arc::clone(typed) as _),
    };
    EntraDirectory::new(TenantConfig::at(world.connection(PUBLIC), person)).unwrap()
}

fn change(world: &World, change: AccountChange) {
    world.simulator.change_user(TENANT, ADMIN, change).unwrap();
}

#[tokio::test]
async fn the_right_password_signs_in_once_and_is_not_needed_again() {
    let world = World::start();
    let typed = Typed::of("Right-Passw0rd");
    let directory = directory(&world, &typed).await;
    let preflight = directory.preflight().await.unwrap();
    assert_eq!(preflight.findings, []);
    assert_eq!(typed.asked(), [None]);
    let told = typed.told();
    assert!(matches!(&told[..], [it] if it.verdict == Verdict::Match && !it.counted));
}

#[tokio::test]
async fn a_wrong_password_is_told_as_one_that_counts() {
    let world = World::start();
    let typed = Typed::of("Wrong-Passw0rd");
    let refused = refused(&world, &typed).await;
    assert_eq!(refused, (PasswordFault::Wrong, Some(50126)));
    let told = typed.told();
    assert!(matches!(&told[..], [it] if it.verdict == Verdict::Mismatch && it.counted));
}

#[tokio::test]
async fn what_a_password_alone_cannot_do_is_told_apart() {
    let world = World::start();
    let behaves = |behaviour| AccountChange {
        behaviour: Some(behaviour),
        ..AccountChange::default()
    };
    for (behaviour, expected, code) in [
        (
            Behaviour::Mfa,
            PasswordFault::Ended(SignInEnd::Interaction),
            50076,
        ),
        (
            Behaviour::Expired,
            PasswordFault::Ended(SignInEnd::Interaction),
            50055,
        ),
        (
            Behaviour::ConditionalAccess,
            PasswordFault::Ended(SignInEnd::Policy),
            53003,
        ),
        (Behaviour::Locked, PasswordFault::Locked, 50053),
    ] {
        change(&world, behaves(behaviour));
        let typed = Typed::of("Right-Passw0rd");
        assert_eq!(refused(&world, &typed).await, (expected, Some(code)));
    }
}

#[tokio::test]
async fn a_password_with_white_space_at_an_end_is_not_sent() {
    let world = World::start();
    let typed = Typed::of("Right-Passw0rd ");
    let refused = refused(&world, &typed).await;
    assert_eq!(refused, (PasswordFault::EdgeWhitespace, None));
    assert!(matches!(&typed.told()[..], [it] if !it.counted));
    assert_eq!(world.simulator.counters().sign_ins, 0);
}

#[tokio::test]
async fn an_app_that_is_no_public_client_is_named() {
    let world = World::start();
    let typed = Typed::of("Right-Passw0rd") as Arc<dyn PersonPassword>;
    let answer = sign_in_by_password(world.connection(CONFIDENTIAL), None, typed).await;
    let Err(PasswordSignInError::Entra(error)) = answer else {
        panic!("{answer:?}");
    };
    assert!(
        matches!(error, GraphError::NotAPublicClient { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn after_a_new_password_the_agent_goes_on_with_it() {
    let world = World::start();
    let typed = Typed::of("Right-Passw0rd");
    let directory = directory(&world, &typed).await;
    directory.read_any_account().await.unwrap();
    world
        .simulator
        .set_password(TENANT, ADMIN, "Other-Passw0rd")
        .unwrap();

    // While nobody has it, that is what is told.
    typed.is_now(None);
    let error = directory.read_any_account().await.unwrap_err();
    assert!(matches!(error, GraphError::PasswordNotSent(_)), "{error}");
    assert_eq!(error.hint(), Some("type it"));

    typed.is_now(Some("Other-Passw0rd"));
    directory.read_any_account().await.unwrap();
    let ends = [None, Some(SignInEnd::Revoked), Some(SignInEnd::Revoked)];
    assert_eq!(typed.asked(), ends);
    assert_eq!(typed.told().len(), 2);

    // The new sign-in has a refresh token of its own.
    world
        .simulator
        .advance(jiff::SignedDuration::from_hours(24));
    directory.read_any_account().await.unwrap();
    assert_eq!(typed.asked().len(), 3);
}

#[tokio::test]
async fn an_end_that_no_password_mends_sends_none() {
    let world = World::start();
    let typed = Typed::of("Right-Passw0rd");
    let directory = directory(&world, &typed).await;
    let disable = AccountChange {
        account_enabled: Some(false),
        ..AccountChange::default()
    };
    change(&world, disable);
    world
        .simulator
        .advance(jiff::SignedDuration::from_hours(24));
    let error = directory.read_any_account().await.unwrap_err();
    let ended = matches!(
        error,
        GraphError::SignInEnded {
            end: SignInEnd::Disabled,
            ..
        }
    );
    assert!(ended, "{error}");
    assert_eq!(typed.asked(), [None]);
}
