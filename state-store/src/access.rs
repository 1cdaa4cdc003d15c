//! What it takes to reach a database on a server, besides its url.

use secrecy::SecretString;

/// What it takes to reach a database on a server. A file needs none of it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The database user's password.
    pub password: Option<SecretString>,
    /// PEM certificates of authorities in addition to the platform's.
    pub extra_ca: Option<Vec<u8>>,
    /// This machine's name, told to whoever finds the database in use.
    pub host: Option<String>,
}
