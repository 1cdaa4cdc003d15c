//! Who is at the other end of the socket, as the operating system tells it.

use std::io;

use interprocess::local_socket::tokio::Stream;

use super::{Fault, Place};
use crate::wiring::host_name;

/// The user to whom the socket belongs.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    #[cfg(unix)]
    uid: u32,
}

impl Owner {
    /// Whoever made the socket.
    #[cfg(unix)]
    pub(super) fn of(place: &Place) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let uid = std::fs::symlink_metadata(place.path())?.uid();
        Ok(Self { uid })
    }

    /// The pipe's own list of who may connect is the whole check.
    #[cfg(windows)]
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(super) fn of(_place: &Place) -> io::Result<Self> {
        Ok(Self {})
    }

    /// The name of the user at the other end, who must be the owner or root.
    #[cfg(unix)]
    pub(super) fn admit(&self, stream: &Stream) -> Result<Option<String>, Fault> {
        use interprocess::local_socket::traits::StreamCommon as _;
        let peer = stream.peer_creds().ok().and_then(|creds| creds.euid());
        self.name(peer).map(Some)
    }

    /// Only those whom the pipe lets in come here. Who they are is theirs to say: `None`.
    #[cfg(windows)]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "as on other systems"
    )]
    pub(super) fn admit(&self, _stream: &Stream) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    #[cfg(unix)]
    fn name(&self, peer: Option<u32>) -> Result<String, Fault> {
        match peer {
            Some(0) => Ok("root".to_owned()),
            Some(uid) if uid == self.uid => Ok(own_name().unwrap_or_else(|| format!("user {uid}"))),
            _ => Err(Fault::refusal(
                "only the agent's own user and root may ask this agent",
                "run it as the service's user: sudo -u passportal-agent passportal …",
            )),
        }
    }
}

/// The name of this process's user.
pub(super) fn own_name() -> Option<String> {
    whoami::username().ok().filter(|name| !name.is_empty())
}

/// How a local user is named where their word is kept.
pub(super) fn local_user(name: &str) -> String {
    format!("local user {name}@{}", host_name())
}

/// The user of this process, as their word is kept.
pub fn this_user() -> String {
    local_user(own_name().as_deref().unwrap_or("unnamed"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_and_root_are_let_in_and_nobody_else() {
        let owner = Owner { uid: 990 };
        assert_eq!(owner.name(Some(0)).unwrap(), "root");
        assert!(owner.name(Some(990)).is_ok());
        for stranger in [Some(991), Some(65_534), None] {
            let refused = owner.name(stranger).unwrap_err();
            assert!(refused.is_not_authorised(), "{refused}");
        }
    }

    #[test]
    fn a_word_names_user_and_machine() {
        let user = this_user();
        assert!(
            user.starts_with("local user ") && user.contains('@'),
            "{user}"
        );
    }
}
