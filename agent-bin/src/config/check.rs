//! Turns well-formed keys into a configuration that makes sense, or says which key does not.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use state_store::{OpenError, StateUrl};
use sync_engine::model::{TenantId, UserPrincipalName};
use sync_engine::plan::Verification;
use url::{Host, Url};

use super::duration::Written;
use super::error::Problem;
use super::key_path::KeyPath;
use super::raw::{
    Raw, RawClient, RawMicrosoft, RawPassportal, RawProxy, RawState, RawSync, RawVerification,
};
use super::{
    ClientConfig, Config, MicrosoftConfig, Passportal, ProxyConfig, ProxyUser, Region, SignIn,
    StateConfig, SyncConfig, TlsConfig, VerificationConfig, default_listen,
};

/// More failed sign-ins a day would come near the ten after which smart lockout begins by default,
/// while the account's owner may mistype, too. Source: Microsoft Entra smart lockout.
const MOST_FAILED_PER_DAY: u32 = 5;

pub(super) fn check(raw: &Raw) -> Result<Config, Problem> {
    Ok(Config {
        passportal: passportal(&raw.passportal)?,
        clients: clients(&raw.client)?,
        sync: sync(&raw.sync)?,
        verification: verification(&raw.verification)?,
        state: state(&raw.state)?,
        listen: raw.listen.address.unwrap_or_else(default_listen),
        tls: TlsConfig {
            extra_ca: file(
                raw.tls.extra_ca.as_ref(),
                &KeyPath::of(&["tls", "extra_ca"]),
            )?,
        },
        proxy: proxy(&raw.proxy)?,
    })
}

fn passportal(raw: &RawPassportal) -> Result<Passportal, Problem> {
    let base_url = match (&raw.base_url, raw.region) {
        (Some(url), _) => secure(url, &KeyPath::of(&["passportal", "base_url"]))?,
        (None, Some(region)) => address(region)?,
        (None, None) => {
            return Err(Problem::new(
                KeyPath::of(&["passportal", "region"]),
                "missing, and so is passportal.base_url",
                "set region to us, ca, uk or au, or base_url to the vault's address",
            ));
        }
    };
    Ok(Passportal { base_url })
}

fn address(region: Region) -> Result<Url, Problem> {
    Url::parse(region.base_url()).map_err(|error| {
        let key = KeyPath::of(&["passportal", "region"]);
        Problem::new(
            key,
            format!("has no address: {error}"),
            "set base_url instead",
        )
    })
}

fn clients(raw: &[RawClient]) -> Result<Vec<ClientConfig>, Problem> {
    let mut names = BTreeSet::new();
    let mut clients = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let key = |keys: &[&str]| KeyPath::of_client(index, keys);
        let name = required(
            raw.name.as_deref(),
            key(&["name"]),
            "the client's name in the vault, or its id",
        )?;
        if !names.insert(name.to_lowercase()) {
            return Err(Problem::new(
                key(&["name"]),
                format!("another client is named `{name}`, too"),
                "one entry for each client",
            ));
        }
        let microsoft = microsoft(&raw.microsoft, &|name| key(&["microsoft", name]))?;
        clients.push(ClientConfig { name, microsoft });
    }
    Ok(clients)
}

fn microsoft(
    raw: &RawMicrosoft,
    key: &dyn Fn(&str) -> KeyPath,
) -> Result<MicrosoftConfig, Problem> {
    let sign_in = raw.sign_in.unwrap_or_default();
    let address =
        |url: &Option<Url>, name| url.as_ref().map(|url| secure(url, &key(name))).transpose();
    let microsoft = MicrosoftConfig {
        tenant: tenant(raw.tenant.as_deref(), key("tenant"))?,
        cloud: raw.cloud.unwrap_or_default(),
        sign_in,
        client_id: text(raw.client_id.as_deref(), key("client_id"))?,
        verification_client_id: text(
            raw.verification_client_id.as_deref(),
            key("verification_client_id"),
        )?,
        certificate: file(raw.certificate.as_ref(), &key("certificate"))?,
        certificate_password_file: file(
            raw.certificate_password_file.as_ref(),
            &key("certificate_password_file"),
        )?,
        federated_token_file: file(
            raw.federated_token_file.as_ref(),
            &key("federated_token_file"),
        )?,
        client_secret_file: file(raw.client_secret_file.as_ref(), &key("client_secret_file"))?,
        administrator: text(raw.administrator.as_deref(), key("administrator"))?
            .map(UserPrincipalName::new),
        authority: address(&raw.authority, "authority")?,
        graph: address(&raw.graph, "graph")?,
    };
    if microsoft.client_id.is_none() {
        return Err(needed(
            sign_in,
            key("client_id"),
            "the application (client) id of the agent's app registration",
        ));
    }
    if sign_in == SignIn::Certificate && microsoft.certificate.is_none() {
        return Err(needed(
            sign_in,
            key("certificate"),
            "a file with key and certificate (PEM or PKCS#12), or another sign_in",
        ));
    }
    if sign_in == SignIn::Federated && microsoft.federated_token_file.is_none() {
        return Err(needed(
            sign_in,
            key("federated_token_file"),
            "the file into which the platform writes its token, or another sign_in",
        ));
    }
    Ok(microsoft)
}

fn needed(sign_in: SignIn, key: KeyPath, hint: &str) -> Problem {
    Problem::new(
        key,
        format!("missing, and sign_in = \"{sign_in}\" needs it"),
        hint,
    )
}

/// The tenant becomes a part of addresses, so it must be one plain word.
fn tenant(raw: Option<&str>, key: KeyPath) -> Result<TenantId, Problem> {
    const HINT: &str = "a verified domain such as contoso.onmicrosoft.com, or the tenant's GUID";
    let tenant = required(raw, key.clone(), HINT)?;
    let plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    if !tenant.chars().all(plain) || tenant.starts_with('.') {
        return Err(Problem::new(
            key,
            format!("`{tenant}` is not a tenant"),
            HINT,
        ));
    }
    Ok(TenantId(tenant))
}

fn sync(raw: &RawSync) -> Result<SyncConfig, Problem> {
    let default = SyncConfig::default();
    let key = |name| KeyPath::of(&["sync", name]);
    let percent = raw.breaker_percent.unwrap_or(default.breaker_percent);
    Ok(SyncConfig {
        interval: at_least(raw.interval, Duration::from_secs(1), key("interval"))?
            .unwrap_or(default.interval),
        full_read: at_least(raw.full_read, Duration::from_mins(1), key("full_read"))?
            .unwrap_or(default.full_read),
        breaker_percent: at_most(percent, 100, key("breaker_percent"))?,
        breaker_minimum: raw.breaker_minimum.unwrap_or(default.breaker_minimum),
    })
}

fn verification(raw: &RawVerification) -> Result<VerificationConfig, Problem> {
    let default = VerificationConfig::default();
    let key = |name| KeyPath::of(&["verification", name]);
    let most = raw.max_failed_per_day.unwrap_or(default.max_failed_per_day);
    Ok(VerificationConfig {
        test: match raw.enabled {
            Some(true) => Verification::Allowed,
            Some(false) => Verification::SwitchedOff,
            None => default.test,
        },
        recheck: at_least(raw.recheck, Duration::from_hours(1), key("recheck"))?
            .unwrap_or(default.recheck),
        max_failed_per_day: at_most(most, MOST_FAILED_PER_DAY, key("max_failed_per_day"))?,
        verdict_table: file(raw.verdict_table.as_ref(), &key("verdict_table"))?,
    })
}

fn state(raw: &RawState) -> Result<StateConfig, Problem> {
    let key = || KeyPath::of(&["state", "url"]);
    let url = text(raw.url.as_deref(), key())?.unwrap_or_else(|| StateConfig::default().url);
    if let Err(OpenError::BadUrl { why, hint }) = StateUrl::parse(&url) {
        return Err(Problem::new(key(), why, hint));
    }
    Ok(StateConfig {
        url,
        password_file: file(
            raw.password_file.as_ref(),
            &KeyPath::of(&["state", "password_file"]),
        )?,
    })
}

fn proxy(raw: &RawProxy) -> Result<Option<ProxyConfig>, Problem> {
    let key = |name| KeyPath::of(&["proxy", name]);
    let user = proxy_user(raw)?;
    match (&raw.url, user) {
        (Some(url), user) => Ok(Some(ProxyConfig {
            url: proxy_address(url, &key("url"))?,
            user,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::new(
            key("url"),
            "missing, and there is a proxy.username",
            "the proxy's address: http://host:port or socks5h://host:port",
        )),
    }
}

fn proxy_user(raw: &RawProxy) -> Result<Option<ProxyUser>, Problem> {
    let key = |name| KeyPath::of(&["proxy", name]);
    let name = text(raw.username.as_deref(), key("username"))?;
    let file = file(raw.password_file.as_ref(), &key("password_file"))?;
    match (name, file) {
        (Some(name), Some(password_file)) => Ok(Some(ProxyUser {
            name,
            password_file,
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::new(
            key("password_file"),
            "missing, and there is a proxy.username",
            "name a file that holds the proxy's password",
        )),
        (None, Some(_)) => Err(Problem::new(
            key("username"),
            "missing, and there is a proxy.password_file",
            "the user's name at the proxy",
        )),
    }
}

fn proxy_address(url: &Url, key: &KeyPath) -> Result<Url, Problem> {
    const HINT: &str = "an address only: http://host:port or socks5h://host:port";
    let problem = |what: &str, hint: &str| Err(Problem::new(key.clone(), what, hint));
    if !url.username().is_empty() || url.password().is_some() {
        return problem(
            "there is a user name or password in it",
            "set proxy.username and proxy.password_file",
        );
    }
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") || !url.has_host() {
        return problem("not the address of a proxy", HINT);
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return problem("there is more than an address in it", HINT);
    }
    Ok(url.clone())
}

/// Beyond loopback: https only. No address carries a secret.
fn secure(url: &Url, key: &KeyPath) -> Result<Url, Problem> {
    let problem = |what: &str, hint: &str| Err(Problem::new(key.clone(), what, hint));
    if !url.username().is_empty() || url.password().is_some() {
        return problem(
            "there is a user name or password in it",
            "an address only: https://host",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return problem(
            "it must not have a query or a fragment",
            "an address only: https://host",
        );
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url.clone()),
        "http" if is_loopback(url) => Ok(url.clone()),
        "http" => problem(
            "http is for this machine only",
            "beyond loopback write https://",
        ),
        _ => problem("not an https address", "write https:// and the host"),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn required(value: Option<&str>, key: KeyPath, hint: &str) -> Result<String, Problem> {
    text(value, key.clone())?.ok_or_else(|| Problem::new(key, "missing", hint))
}

fn text(value: Option<&str>, key: KeyPath) -> Result<Option<String>, Problem> {
    match value.map(str::trim) {
        Some("") => Err(Problem::new(
            key,
            "empty",
            "give it a value, or remove the key",
        )),
        trimmed => Ok(trimmed.map(str::to_owned)),
    }
}

fn file(value: Option<&PathBuf>, key: &KeyPath) -> Result<Option<PathBuf>, Problem> {
    match value {
        Some(path) if path.as_os_str().is_empty() => Err(Problem::new(
            key.clone(),
            "empty",
            "name a file, or remove the key",
        )),
        path => Ok(path.cloned()),
    }
}

fn at_least(
    value: Option<Written>,
    least: Duration,
    key: KeyPath,
) -> Result<Option<Duration>, Problem> {
    match value {
        Some(Written(value)) if value < least => Err(Problem::new(
            key,
            format!("`{}` is too short", Written(value)),
            format!("at least {}", Written(least)),
        )),
        value => Ok(value.map(|Written(value)| value)),
    }
}

fn at_most(value: u32, most: u32, key: KeyPath) -> Result<u32, Problem> {
    if value > most {
        return Err(Problem::new(
            key,
            format!("`{value}` is too much"),
            format!("at most {most}"),
        ));
    }
    Ok(value)
}
