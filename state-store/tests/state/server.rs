//! Databases on a real server, one for each test.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use state_store::{Access, OpenError, StateDatabase, StateUrl};
use url::Url;

/// The url of a server on this machine where databases may be made, with its password.
const VARIABLE: &str = "TEST_POSTGRES_OF_PASSPORTAL";

/// A database that ends with the test.
pub(crate) struct TestDatabase {
    /// With the password, for the test's own hands.
    admin: Url,
    name: String,
}

/// A new database; `None`, with a line that says so, where there is no server.
#[expect(clippy::print_stderr, reason = "who skips a test must be told")]
pub(crate) async fn database() -> Option<TestDatabase> {
    let Ok(url) = env::var(VARIABLE) else {
        let in_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !in_ci,
            "{VARIABLE} is not set: run it under tests/postgres/run"
        );
        eprintln!("skipped: {VARIABLE} names no server; tests/postgres/run starts one");
        return None;
    };
    Some(TestDatabase::create(&url, "").await)
}

impl TestDatabase {
    pub(crate) async fn create(server: &str, options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let made = Self {
            admin: server.parse().unwrap(),
            name: format!("state_{}_{number}", std::process::id()),
        };
        let statement = format!("CREATE DATABASE {} {options}", made.name);
        made.at_the_server(&statement).await;
        made
    }

    /// The same server, another database.
    pub(crate) async fn beside(&self, options: &str) -> Self {
        Self::create(self.admin.as_str(), options).await
    }

    /// The url as the configuration has it, without the password.
    pub(crate) fn url(&self) -> String {
        let mut url = self.admin.clone();
        url.set_password(None).unwrap();
        url.set_path(&self.name);
        url.into()
    }

    pub(crate) fn access(&self) -> Access {
        Access {
            password: self.admin.password().map(SecretString::from),
            host: Some("testhost".to_owned()),
            ..Access::default()
        }
    }

    pub(crate) async fn open(&self) -> Result<StateDatabase, OpenError> {
        self.open_with(&self.url(), &self.access()).await
    }

    pub(crate) async fn open_with(
        &self,
        url: &str,
        access: &Access,
    ) -> Result<StateDatabase, OpenError> {
        StateDatabase::open_with(&StateUrl::parse(url)?, access).await
    }

    /// A session of the test's own in this database.
    pub(crate) async fn hand(&self) -> PgConnection {
        let options = PgConnectOptions::from_url(&self.admin).unwrap();
        options.database(&self.name).connect().await.unwrap()
    }

    /// Does something in this database.
    pub(crate) async fn run(&self, sql: &str) {
        let mut hand = self.hand().await;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut hand)
            .await
            .unwrap();
        hand.close().await.unwrap();
    }

    /// Does something at the server, in the database that the variable names.
    pub(crate) async fn at_the_server(&self, sql: &str) {
        let mut hand = PgConnection::connect(self.admin.as_str()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut hand)
            .await
            .unwrap();
        hand.close().await.unwrap();
    }

    /// Ends the agents' sessions, as a restart of the server or a cut cable does.
    pub(crate) async fn end_sessions(&self) {
        self.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'passportal-agent%'",
        )
        .await;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    /// A runtime of its own: the test's may be at its end.
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(self.at_the_server(&statement));
            });
        });
    }
}
