//! Takes the socket's name and says who connects; the operating system guards both.

use std::io;

use interprocess::local_socket::ListenerOptions;
use interprocess::local_socket::tokio::{Listener as Inner, Stream};
use interprocess::local_socket::traits::tokio::{Listener as _, Stream as _};

use super::peer::Owner;
use super::{ControlError, Place};
#[cfg(unix)]
use crate::private_folder;

/// The agent's end of the socket. The name is free again once it is dropped.
#[derive(Debug)]
pub struct Listener {
    inner: Inner,
    owner: Owner,
}

impl Listener {
    /// Takes the name. What a dead process left behind is replaced; a live one is not.
    ///
    /// # Errors
    /// When another process answers there, something else has the name, or it cannot be made.
    pub async fn bind(place: &Place) -> Result<Self, ControlError> {
        let not_made = |source| ControlError::NotMade {
            place: place.clone(),
            source,
        };
        make_way(place).await?;
        let inner = listen(place).map_err(not_made)?;
        let owner = Owner::of(place).map_err(not_made)?;
        Ok(Self { inner, owner })
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        self.inner.accept().await
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }
}

/// Connects to whoever listens there.
pub(super) async fn connect(place: &Place) -> io::Result<Stream> {
    Stream::connect(place.name()?).await
}

/// Only whoever holds the memory's lock comes here, so nobody else replaces the file at the same time.
#[cfg(unix)]
async fn make_way(place: &Place) -> Result<(), ControlError> {
    use std::os::unix::fs::FileTypeExt as _;

    let not_made = |source| ControlError::NotMade {
        place: place.clone(),
        source,
    };
    match std::fs::symlink_metadata(place.path()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return make_folder(place),
        Err(error) => return Err(not_made(error)),
        Ok(there) if !there.file_type().is_socket() => {
            let place = place.clone();
            return Err(ControlError::NotASocket { place });
        }
        Ok(_) => {}
    }
    match connect(place).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(place.path()).map_err(not_made)
        }
        Err(error) => Err(not_made(error)),
        Ok(_) => {
            let place = place.clone();
            Err(ControlError::InUse { place })
        }
    }
}

/// The folder of the secrets is made by setup; a state file's is there with the file.
#[cfg(unix)]
fn make_folder(place: &Place) -> Result<(), ControlError> {
    let Some(folder) = place
        .path()
        .parent()
        .filter(|it| !it.as_os_str().is_empty())
    else {
        return Ok(());
    };
    private_folder::make(folder).map_err(|source| ControlError::NotMade {
        place: place.clone(),
        source,
    })
}

/// A pipe's name ends with its process.
#[cfg(windows)]
async fn make_way(place: &Place) -> Result<(), ControlError> {
    match connect(place).await {
        Ok(_) => Err(ControlError::InUse {
            place: place.clone(),
        }),
        Err(_) => Ok(()),
    }
}

#[cfg(unix)]
fn listen(place: &Place) -> io::Result<Inner> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
    use std::os::unix::fs::PermissionsExt as _;

    let options = || Ok::<_, io::Error>(ListenerOptions::new().name(place.name()?));
    match options()?.mode(0o600).create_tokio() {
        // Not every system can make the file with its mode at once; who connects is checked besides.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            let inner = options()?.create_tokio()?;
            let permissions = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(place.path(), permissions)?;
            Ok(inner)
        }
        made => made,
    }
}

/// Full access for the service's own account, the system and administrators; nobody else, and nobody from
/// another machine.
#[cfg(windows)]
fn listen(place: &Place) -> io::Result<Inner> {
    use interprocess::os::windows::local_socket::ListenerOptionsExt as _;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    use widestring::u16cstr;

    let allowed = u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)(A;;GA;;;BA)");
    ListenerOptions::new()
        .name(place.name()?)
        .security_descriptor(SecurityDescriptor::deserialize(allowed)?)
        .create_tokio()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn place(folder: &Path) -> Place {
        let state = format!("sqlite://{}", folder.join("state.db").display());
        let overrides = Overrides::none()
            .set("--region", "passportal.region", "us")
            .set("--state-url", "state.url", state);
        Place::of(&Config::of_options(Path::new("config.toml"), overrides).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn only_its_owner_may_use_the_file_and_it_is_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let listener = Listener::bind(&place).await.unwrap();
        let mode = std::fs::metadata(place.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(listener);
        assert!(!place.path().exists());
    }

    #[tokio::test]
    async fn what_a_dead_process_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        // The standard library's listener leaves its file where it is.
        drop(std::os::unix::net::UnixListener::bind(place.path()).unwrap());
        assert!(place.path().exists());
        let listener = Listener::bind(&place).await.unwrap();
        connect(&place).await.unwrap();
        drop(listener);
    }

    #[tokio::test]
    async fn a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let first = Listener::bind(&place).await.unwrap();
        let error = Listener::bind(&place).await.unwrap_err();
        assert!(matches!(error, ControlError::InUse { .. }), "{error}");
        connect(&place).await.unwrap();
        drop(first);
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        std::fs::write(place.path(), "precious").unwrap();
        let error = Listener::bind(&place).await.unwrap_err();
        assert!(matches!(error, ControlError::NotASocket { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(place.path()).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_had_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Listener::bind(&place(&folder.path().join("file")))
            .await
            .unwrap_err();
        assert!(matches!(error, ControlError::NotMade { .. }), "{error}");
    }
}
