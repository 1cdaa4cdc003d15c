//! A new session at the server, with the settings that the state needs.

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};

use super::fault::Failure;
use crate::state_url::{Encryption, Server};
use crate::{Access, PostgresUrl};

/// A server that takes longer is told as not answering.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// Room for a name among the 63 bytes that the server keeps of it.
const LONGEST_HOST: usize = 30;

/// A session that nobody ends for being idle, that knows within half a minute that its client is
/// gone (and with it the lock), that waits neither for ever nor long for a lock, and whose commits
/// are on a disk before they return. Where `synchronous_commit` is stricter, it stays.
/// Source: `PostgreSQL` documentation, "Server Configuration". A server too old for a setting has none
/// of that name.
const SETTINGS: &str = "
    SELECT set_config(known.name, wanted.value, FALSE)
    FROM pg_settings AS known
    JOIN (VALUES
        ('synchronous_commit',
            CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END),
        ('client_min_messages', 'warning'),
        ('lock_timeout', '2s'),
        ('statement_timeout', '25s'),
        ('idle_session_timeout', '0'),
        ('tcp_keepalives_idle', '10'),
        ('tcp_keepalives_interval', '5'),
        ('tcp_keepalives_count', '3'),
        ('tcp_user_timeout', '25000')
    ) AS wanted (name, value) USING (name)";

/// Where to, and with what. The password is put into sqlx's options, whose `Debug` shows it, only
/// for the moment of connecting.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: PostgresUrl,
    access: Access,
}

impl Address {
    pub(super) fn new(url: &PostgresUrl, access: &Access) -> Self {
        Self {
            url: url.clone(),
            access: access.clone(),
        }
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, Failure> {
        let options = self.options();
        let connected = tokio::time::timeout(LONGEST_CONNECT, options.connect()).await;
        let mut connection = connected.map_err(|_| Failure::Slow)??;
        sqlx::query(SETTINGS).execute(&mut connection).await?;
        let encoding: String = sqlx::query_scalar("SHOW server_encoding")
            .fetch_one(&mut connection)
            .await?;
        if encoding != "UTF8" {
            let _ = connection.close().await;
            return Err(Failure::Encoding(encoding));
        }
        Ok(connection)
    }

    fn options(&self) -> PgConnectOptions {
        let password = self.access.password.as_ref();
        // Without a password file there is no password, whatever the environment says.
        let password = password.map_or("", |password| password.expose_secret());
        let options = PgConnectOptions::new_without_pgpass()
            .port(self.url.port)
            .username(&self.url.user)
            .password(password)
            .database(&self.url.database)
            .application_name(&self.told_name())
            .ssl_mode(ssl_mode(self.url.encryption))
            // Nothing here is a float, and a pooler may not know the parameter.
            .extra_float_digits(None)
            .disable_statement_logging();
        let options = match &self.url.server {
            Server::Host(host) => options.host(host),
            Server::Socket(folder) => options.socket(folder),
        };
        match &self.access.extra_ca {
            Some(pem) => options.ssl_root_cert_from_pem(pem.clone()),
            None => options,
        }
    }

    /// What another agent is told of this one.
    fn told_name(&self) -> String {
        let pid = std::process::id();
        match &self.access.host {
            Some(host) => {
                let host: String = host.chars().take(LONGEST_HOST).collect();
                format!("passportal-agent on {host}, pid {pid}")
            }
            None => format!("passportal-agent, pid {pid}"),
        }
    }
}

fn ssl_mode(encryption: Encryption) -> PgSslMode {
    match encryption {
        Encryption::Off => PgSslMode::Disable,
        Encryption::Offered => PgSslMode::Prefer,
        Encryption::Required => PgSslMode::Require,
        Encryption::KnownAuthority => PgSslMode::VerifyCa,
        Encryption::ThisServer => PgSslMode::VerifyFull,
    }
}
