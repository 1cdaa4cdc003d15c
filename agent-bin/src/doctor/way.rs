//! The way to vault and tenant as it is configured: whom it trusts, and through which proxy it goes.

use super::Check;
use crate::config::Config;
use crate::outbound::Outbound;

/// The configured way. There is no other: one past the proxy would say nothing of the set-up.
///
/// # Errors
/// What was found, where it cannot be taken.
pub(super) fn examine(config: &Config) -> Result<Outbound, Vec<Check>> {
    Outbound::of(config).map_err(|error| {
        let skipped = |name| Check::skipped(name, "the configured way to it cannot be taken");
        let found = Check::failed("configuration", &error);
        vec![found, skipped("vault"), skipped("tenant")]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::doctor::{self, Checked};

    const CONFIGURATION: &str = r#"
        [passportal]
        base_url = "http://127.0.0.1:9"

        [[client]]
        name = "Contoso"

        [client.microsoft]
        tenant = "contoso.com"
        client_id = "00000000-0000-0000-0000-000000000001"
        sign_in = "client-secret"
    "#;

    #[tokio::test]
    async fn past_a_proxy_or_an_authority_that_cannot_be_read_nothing_is_reached_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for way in [
            "[tls]\nextra_ca = \"/nowhere/ca.pem\"",
            "[proxy]\nurl = \"http://127.0.0.1:9\"\nusername = \"svc\"\npassword_file = \"/nowhere/password\"",
        ] {
            std::fs::write(&path, format!("{CONFIGURATION}\n{way}\n")).unwrap();
            let config = Config::load(&path, [], Overrides::none()).unwrap();
            let examined = doctor::examine(&config, &config.clients[0]).await;
            let names: Vec<_> = examined.checks.iter().map(|it| it.name).collect();
            assert_eq!(names, ["configuration", "vault", "tenant"]);
            assert!(examined.has_fault());
            for check in &examined.checks[1..] {
                assert!(matches!(check.result, Checked::Skipped { .. }), "{check:?}");
            }
        }
    }
}
