//! Which file a state url names.

use std::path::PathBuf;

use crate::OpenError;

/// The file that a state url names: `sqlite:///absolute/path` or `sqlite:relative/path`.
///
/// # Errors
/// [`OpenError::BadUrl`], and [`OpenError::PostgresNotSupported`] for a `postgres:` url. Neither
/// repeats the url: somebody may have written a password into it.
pub fn database_path(url: &str) -> Result<PathBuf, OpenError> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err(OpenError::PostgresNotSupported);
    }
    let rest = url
        .strip_prefix("sqlite:")
        .ok_or(bad("it does not begin with sqlite:"))?;
    if rest.contains(['?', '#']) {
        return Err(bad("it has a parameter, and none is known"));
    }
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => without_drive_slash(path),
        Some(_) => return Err(bad("an absolute path needs three slashes")),
        None => rest,
    };
    if path.trim_matches('/').is_empty() || path == ":memory:" {
        return Err(bad("it names no file"));
    }
    Ok(PathBuf::from(path))
}

fn bad(why: &'static str) -> OpenError {
    OpenError::BadUrl { why }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> PathBuf {
        database_path(url).unwrap()
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
    fn what_names_no_file_is_refused() {
        for url in [
            "",
            "/var/lib/x.db",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite://var/lib/x.db",
            "sqlite::memory:",
            "sqlite:///x.db?mode=ro",
        ] {
            let answer = database_path(url);
            assert!(
                matches!(answer, Err(OpenError::BadUrl { .. })),
                "{url}: {answer:?}"
            );
        }
    }

    #[test]
    fn postgresql_is_named_without_repeating_its_password() {
        let error = database_path("postgres://agent:hunter2@db/state").unwrap_err();
        assert!(matches!(error, OpenError::PostgresNotSupported));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
