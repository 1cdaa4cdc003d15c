//! Which state a url names: a file, or a database on a server.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::OpenError;

/// The state that a url names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateUrl {
    /// A file of `SQLite`'s.
    Sqlite(PathBuf),
    /// A database on a `PostgreSQL` server.
    Postgres(PostgresUrl),
}

/// A database on a `PostgreSQL` server, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresUrl {
    pub(crate) server: Server,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) encryption: Encryption,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Host(String),
    /// The folder of a socket on this machine.
    Socket(PathBuf),
}

/// How the way to a server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all: it never leaves this machine.
    Off,
    /// Where the server offers it, on this machine.
    Offered,
    /// The server's certificate is not looked at, on this machine.
    Required,
    /// By a server that a known authority vouches for.
    KnownAuthority,
    /// By a server that a known authority vouches for under this very name.
    ThisServer,
}

impl StateUrl {
    /// `sqlite:///absolute/path`, `sqlite:relative/path`, `postgres://user@host:port/database` or
    /// `postgres://user@%2Ffolder%2Fof%2Fthe%2Fsocket/database`.
    ///
    /// # Errors
    /// [`OpenError::BadUrl`]. It never repeats the url: somebody may have written a password into it.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            PostgresUrl::parse(url).map(Self::Postgres)
        } else {
            file(url).map(Self::Sqlite)
        }
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

/// The file that a state url names.
///
/// # Errors
/// [`OpenError::BadUrl`], also where the state is no file.
pub fn database_path(url: &str) -> Result<PathBuf, OpenError> {
    match StateUrl::parse(url)? {
        StateUrl::Sqlite(path) => Ok(path),
        StateUrl::Postgres(_) => Err(bad_file("it names a database on a server, not a file")),
    }
}

/// The state url of a file with an absolute path, which [`database_path`] leads back to.
pub fn file_url(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.into_owned()
    };
    format!("sqlite:///{}", path.trim_start_matches('/'))
}

fn file(url: &str) -> Result<PathBuf, OpenError> {
    let rest = url
        .strip_prefix("sqlite:")
        .ok_or(bad_file("it begins with neither sqlite: nor postgres:"))?;
    if rest.contains(['?', '#']) {
        return Err(bad_file("it has a parameter, and none is known"));
    }
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => without_drive_slash(path),
        Some(_) => return Err(bad_file("an absolute path needs three slashes")),
        None => rest,
    };
    if path.trim_matches('/').is_empty() || path == ":memory:" {
        return Err(bad_file("it names no file"));
    }
    Ok(PathBuf::from(path))
}

fn bad_file(why: &'static str) -> OpenError {
    OpenError::BadUrl {
        why,
        hint: "write sqlite:/// and an absolute path, as in sqlite:///var/lib/passportal-agent/state.db",
    }
}

/// `/C:/ProgramData` is `C:/ProgramData`, as in every file url.
fn without_drive_slash(path: &str) -> &str {
    match path.as_bytes() {
        [b'/', letter, b':', ..] if letter.is_ascii_alphabetic() => {
            path.strip_prefix('/').unwrap_or(path)
        }
        _ => path,
    }
}

impl PostgresUrl {
    fn parse(text: &str) -> Result<Self, OpenError> {
        let url = Url::parse(text).map_err(|_| bad("it is not a url"))?;
        if url.password().is_some() {
            return Err(OpenError::BadUrl {
                why: "there is a password in it",
                hint: "put the password into a file that only the service can read, and name it in state.password_file",
            });
        }
        let query = Query::of(&url)?;
        // sqlx decodes what is percent-encoded, and knows the operating system's user.
        let decoded = PgConnectOptions::from_url(&url).map_err(|_| bad("it is not a url"))?;
        let database = decoded.get_database().filter(|_| url.path().len() > 1);
        let server = match (url.host_str().filter(|host| !host.is_empty()), query.socket) {
            (None, Some(folder)) => Server::Socket(folder),
            (Some(_), None) => of_host(&decoded),
            (Some(_), Some(_)) => return Err(bad("it names two servers")),
            (None, None) => return Err(bad("it names no server")),
        };
        Ok(Self {
            encryption: server.encryption(query.ssl_mode)?,
            server,
            port: url.port().unwrap_or(5432),
            user: decoded.get_username().to_owned(),
            database: database.ok_or(bad("it names no database"))?.to_owned(),
        })
    }
}

fn of_host(decoded: &PgConnectOptions) -> Server {
    match decoded.get_socket() {
        Some(folder) => Server::Socket(folder.clone()),
        None => Server::Host(decoded.get_host().trim_matches(['[', ']']).to_owned()),
    }
}

fn bad(why: &'static str) -> OpenError {
    OpenError::BadUrl {
        why,
        hint: "write postgres://USER@HOST:PORT/DATABASE; the password stands in state.password_file",
    }
}

/// The parameters that a url may have.
#[derive(Default)]
struct Query {
    ssl_mode: Option<PgSslMode>,
    socket: Option<PathBuf>,
}

impl Query {
    fn of(url: &Url) -> Result<Self, OpenError> {
        let mut query = Self::default();
        for (key, value) in url.query_pairs() {
            match &*key {
                "sslmode" => {
                    let mode = value.parse().map_err(|_| bad("its sslmode is not known"))?;
                    query.ssl_mode = Some(mode);
                }
                "host" if value.starts_with('/') => query.socket = Some(PathBuf::from(&*value)),
                "host" => return Err(bad("its parameter host is not a folder")),
                _ => return Err(bad("it has a parameter besides sslmode and host")),
            }
        }
        if url.fragment().is_some() {
            return Err(bad("it has a fragment"));
        }
        Ok(query)
    }
}

impl Server {
    fn is_this_machine(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Host(host) => {
                host == "localhost"
                    || host
                        .parse::<IpAddr>()
                        .is_ok_and(|address| address.is_loopback())
            }
        }
    }

    /// Beyond this machine only a server that proves who it is gets to see the password.
    fn encryption(&self, mode: Option<PgSslMode>) -> Result<Encryption, OpenError> {
        let here = self.is_this_machine();
        match mode {
            None if matches!(self, Self::Socket(_)) => Ok(Encryption::Off),
            None if here => Ok(Encryption::Offered),
            None | Some(PgSslMode::VerifyFull) => Ok(Encryption::ThisServer),
            Some(PgSslMode::VerifyCa) => Ok(Encryption::KnownAuthority),
            Some(_) if !here => Err(bad(
                "beyond this machine sslmode must be verify-full or verify-ca",
            )),
            Some(PgSslMode::Require) => Ok(Encryption::Required),
            Some(PgSslMode::Prefer) => Ok(Encryption::Offered),
            Some(PgSslMode::Allow | PgSslMode::Disable) => Ok(Encryption::Off),
        }
    }
}

impl fmt::Display for PostgresUrl {
    /// For people: the database and its server.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at ", self.database)?;
        match &self.server {
            Server::Host(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Server::Host(host) => write!(f, "{host}:{}", self.port),
            Server::Socket(folder) => write!(f, "{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> PathBuf {
        database_path(url).unwrap()
    }

    #[test]
    fn a_files_url_leads_back_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        let expected = file.to_string_lossy().replace('\\', "/");
        assert_eq!(path(&file_url(&file)), Path::new(&expected));
    }

    fn postgres(url: &str) -> PostgresUrl {
        match StateUrl::parse(url).unwrap() {
            StateUrl::Postgres(url) => url,
            StateUrl::Sqlite(path) => panic!("{} is a file", path.display()),
        }
    }

    fn encryption(url: &str) -> Encryption {
        postgres(url).encryption
    }

    #[test]
    fn three_slashes_are_absolute_and_none_is_relative() {
        assert_eq!(
            path("sqlite:///var/lib/x.db"),
            PathBuf::from("/var/lib/x.db")
        );
        assert_eq!(path("sqlite:x.db"), PathBuf::from("x.db"));
        assert_eq!(path("sqlite:/tmp/x.db"), PathBuf::from("/tmp/x.db"));
        assert_eq!(
            path("sqlite:///C:/data/x.db"),
            PathBuf::from("C:/data/x.db")
        );
    }

    #[test]
    fn what_names_no_state_is_refused() {
        for url in [
            "",
            "/var/lib/x.db",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite://var/lib/x.db",
            "sqlite::memory:",
            "sqlite:///x.db?mode=ro",
            "mysql://db/state",
            "postgres:",
            "postgres://",
            "postgres://db",
            "postgres://db/",
            "postgres:///state",
            "postgres://db/state#1",
            "postgres://db:port/state",
            "postgres://db/state?host=elsewhere",
            "postgres://db/state?host=/run/postgresql",
            "postgres://localhost/state?sslmode=perhaps",
            "postgres://localhost/state?application_name=x",
        ] {
            let answer = StateUrl::parse(url);
            assert!(
                matches!(answer, Err(OpenError::BadUrl { .. })),
                "{url}: {answer:?}"
            );
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_without_being_repeated() {
        for url in [
            "postgres://agent:hunter2@db/state",
            "postgresql://agent:hunter2@localhost/state",
            "postgres://db/state?password=hunter2",
            "postgres://db/state?user=a&password=hunter2",
        ] {
            let error = StateUrl::parse(url).unwrap_err();
            let told = format!("{error} {error:?} {}", error.hint());
            assert!(!told.contains("hunter2"), "{told}");
            assert!(error.hint().contains("state.password_file"), "{told}");
        }
    }

    #[test]
    fn a_database_on_a_server_is_no_file() {
        let url = "postgres://agent@db/state";
        assert!(matches!(database_path(url), Err(OpenError::BadUrl { .. })));
        assert_eq!(StateUrl::parse(url).unwrap().file(), None);
    }

    #[test]
    fn user_host_port_and_database_are_read() {
        let url = postgres("postgresql://agent%40msp@db.example:5433/the%20state");
        assert_eq!(
            (url.user.as_str(), url.database.as_str(), url.port),
            ("agent@msp", "the state", 5433)
        );
        assert_eq!(url.server, Server::Host("db.example".to_owned()));
        assert_eq!(url.to_string(), "the state at db.example:5433");
        assert_eq!(postgres("postgres://a@db/x").port, 5432);
        assert_eq!(
            postgres("postgres://a@[::1]/x").to_string(),
            "x at [::1]:5432"
        );
    }

    #[test]
    fn a_socket_is_named_as_libpq_names_it() {
        let folder = Server::Socket(PathBuf::from("/run/postgresql"));
        for url in [
            "postgres:///state?host=/run/postgresql",
            "postgres://agent@%2Frun%2Fpostgresql/state",
        ] {
            let url = postgres(url);
            assert_eq!(url.server, folder);
            assert_eq!(url.encryption, Encryption::Off);
        }
    }

    #[test]
    fn beyond_this_machine_the_server_must_prove_who_it_is() {
        assert_eq!(encryption("postgres://a@db/x"), Encryption::ThisServer);
        assert_eq!(
            encryption("postgres://a@10.0.0.7/x?sslmode=verify-ca"),
            Encryption::KnownAuthority
        );
        for mode in ["disable", "allow", "prefer", "require"] {
            let url = format!("postgres://a@db/x?sslmode={mode}");
            let answer = StateUrl::parse(&url);
            assert!(
                matches!(answer, Err(OpenError::BadUrl { .. })),
                "{answer:?}"
            );
        }
    }

    #[test]
    fn on_this_machine_the_url_decides() {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            let url = format!("postgres://a@{host}/x");
            assert_eq!(encryption(&url), Encryption::Offered);
            assert_eq!(
                encryption(&format!("{url}?sslmode=disable")),
                Encryption::Off
            );
            assert_eq!(
                encryption(&format!("{url}?sslmode=require")),
                Encryption::Required
            );
            assert_eq!(
                encryption(&format!("{url}?sslmode=verify-full")),
                Encryption::ThisServer
            );
        }
    }
}
