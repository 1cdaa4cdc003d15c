//! Which layer wins: file, environment, command line.

use std::time::Duration;

use super::{SMALL, file, load_with};
use crate::config::*;

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let file = file(&format!(
        "{SMALL}\n[sync]\ninterval = '1m'\nfull_read = '2h'\nbreaker_percent = 1"
    ));
    let variables = [
        ("PASSPORTAL_SYNC__FULL_READ", "3h"),
        ("PASSPORTAL_SYNC__BREAKER_PERCENT", "2"),
        ("PATH", "/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = Overrides::none().set("--breaker-percent", "sync.breaker_percent", "3");

    let config = Config::load(&file.path, variables, overrides).unwrap();

    assert_eq!(config.sync.interval, Duration::from_mins(1));
    assert_eq!(config.sync.full_read, Duration::from_hours(3));
    assert_eq!(config.sync.breaker_percent, 3);
}

#[test]
fn variables_reach_into_clients_and_add_more_of_them() {
    let config = load_with(
        SMALL,
        &[
            ("PASSPORTAL_CLIENT__1__MICROSOFT__CLIENT_ID", "12345678"),
            ("PASSPORTAL_CLIENT__1__MICROSOFT__SIGN_IN", "client-secret"),
            ("PASSPORTAL_CLIENT__1__MICROSOFT__TENANT", "fabrikam.com"),
            ("PASSPORTAL_CLIENT__1__NAME", "Fabrikam"),
            ("PASSPORTAL_CLIENT__0__MICROSOFT__TENANT", "other.com"),
            ("PASSPORTAL_VERIFICATION__ENABLED", "false"),
        ],
    )
    .unwrap();
    assert_eq!(config.clients[0].microsoft.tenant.0, "other.com");
    assert_eq!(
        config.clients[0].microsoft.client_id.as_deref(),
        Some("app")
    );
    assert_eq!(config.clients[1].name, "Fabrikam");
    // A number where text is wanted stays text.
    assert_eq!(
        config.clients[1].microsoft.client_id.as_deref(),
        Some("12345678")
    );
    assert_eq!(config.verification.test, Verification::SwitchedOff);
}
