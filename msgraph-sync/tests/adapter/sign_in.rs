//! The agent's own sign-in, and the sign-in test.

use sync_engine::model::Verdict;
use sync_engine::ports::{Directory, SetPassword};

use crate::world::{APP, directory, directory_of, set, verdict};

#[tokio::test]
async fn a_password_that_was_set_signs_in_and_the_old_one_does_not() {
    let directory = directory();
    let written = set(&directory, "anna@contoso.com", "Anna-fixture-2").await;
    assert!(matches!(written, SetPassword::Accepted(_)), "{written:?}");
    let new = verdict(&directory, "anna@contoso.com", "Anna-fixture-2").await;
    assert_eq!(new, Verdict::Match);
    let old = verdict(&directory, "anna@contoso.com", "Anna-fixture-1").await;
    assert_eq!(old, Verdict::Mismatch);
    let factor = verdict(&directory, "mia@contoso.com", "Mia-fixture-1").await;
    assert_eq!(factor, Verdict::Match);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_at_the_sign_in() {
    let stranger = directory_of(APP.with_secret("wrong~Secret"));
    let error = stranger.domains().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("secret"), "{cause}");
}
