//! What each key means, and what holds without it.

use std::path::Path;
use std::time::Duration;

use super::{FULL, SMALL, load, load_with};
use crate::config::*;

#[test]
fn every_documented_key_is_taken() {
    let config = load(FULL).unwrap();
    assert_eq!(
        config.passportal.base_url.as_str(),
        "https://ca-clover.passportalmsp.com/"
    );
    let contoso = &config.clients[0];
    assert_eq!(contoso.name, "Contoso");
    assert_eq!(contoso.microsoft.tenant.0, "contoso.onmicrosoft.com");
    assert_eq!(contoso.microsoft.cloud, Cloud::UsGovL4);
    assert_eq!(contoso.microsoft.sign_in, SignIn::ClientSecret);
    assert_eq!(
        contoso.microsoft.client_secret_file.as_deref(),
        Some(Path::new("/run/secret"))
    );
    assert_eq!(
        contoso.microsoft.graph.as_ref().unwrap().as_str(),
        "http://127.0.0.1:4000/"
    );
    let fabrikam = &config.clients[1].microsoft;
    assert_eq!(fabrikam.sign_in, SignIn::Certificate);
    assert_eq!(
        fabrikam.certificate_password_file.as_deref(),
        Some(Path::new("/run/app-password"))
    );
    let northwind = &config.clients[2].microsoft;
    assert_eq!(northwind.sign_in, SignIn::Federated);
    assert_eq!(
        northwind.federated_token_file.as_deref(),
        Some(Path::new("/var/run/secrets/token"))
    );
    assert_eq!(config.sync.interval, Duration::from_secs(30));
    assert_eq!(config.sync.full_read, Duration::from_hours(12));
    assert_eq!(config.verification.recheck, Duration::from_hours(72));
    assert_eq!(
        config.verification.verdict_table.as_deref(),
        Some(Path::new("/etc/verdicts.toml"))
    );
    assert_eq!(config.state.url, "sqlite:///tmp/state.db");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(
        config.tls.extra_ca.as_deref(),
        Some(Path::new("/etc/ca.pem"))
    );
    let proxy = config.proxy.unwrap();
    assert_eq!(proxy.url.as_str(), "socks5h://proxy.example:1080");
    let user = proxy.user.unwrap();
    assert_eq!(
        (user.name.as_str(), user.password_file),
        ("agent", "/run/proxy".into())
    );
}

#[test]
fn what_is_not_set_has_its_documented_default() {
    let config = load(SMALL).unwrap();
    assert_eq!(config.sync.interval, Duration::from_secs(45));
    assert_eq!(config.sync.full_read, Duration::from_hours(24));
    assert_eq!(
        (config.sync.breaker_percent, config.sync.breaker_minimum),
        (20, 10)
    );
    assert_eq!(config.verification.test, Verification::Allowed);
    assert_eq!(config.verification.recheck, Duration::from_hours(168));
    assert_eq!(config.verification.max_failed_per_day, 2);
    assert_eq!(config.state.url, DEFAULT_STATE);
    assert_eq!(config.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.clients[0].microsoft.cloud, Cloud::Global);
}

#[test]
fn base_url_wins_over_region() {
    let config = load_with(
        SMALL,
        &[(
            "PASSPORTAL_PASSPORTAL__BASE_URL",
            "https://vault.example.com",
        )],
    );
    assert_eq!(
        config.unwrap().passportal.base_url.as_str(),
        "https://vault.example.com/"
    );
}

#[test]
fn without_a_client_there_is_nothing_to_run() {
    let config = load("passportal.region = 'us'").unwrap();
    assert!(matches!(
        config.require_clients(),
        Err(ConfigError::NoClient)
    ));
    assert_eq!(load(SMALL).unwrap().require_clients().unwrap().len(), 1);
}

#[test]
fn the_engine_obeys_the_configured_numbers_and_us_government_at_most_one_failed_sign_in() {
    let mut config = load(FULL).unwrap();
    config.verification.max_failed_per_day = 3;
    let government = config.policy(&config.clients[0]);
    let commercial = config.policy(&config.clients[1]);
    assert_eq!(government.max_failed_per_day, 1);
    assert_eq!(commercial.max_failed_per_day, 3);
    assert_eq!(commercial.verification, Verification::SwitchedOff);
    assert_eq!(commercial.recheck, Duration::from_hours(72));
    assert_eq!(
        (commercial.breaker_percent, commercial.breaker_minimum),
        (15, 5)
    );
}
