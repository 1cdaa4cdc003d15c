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
        use interprocess::local_socket::PeerCreds;
        use interprocess::local_socket::traits::StreamCommon as _;
        let creds = stream.peer_creds().ok();
        let account = self.name(creds.as_ref().and_then(PeerCreds::euid))?;
        let pid = creds.as_ref().and_then(PeerCreds::pid);
        Ok(Some(signed_in(account, pid.and_then(login_of))))
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
    let account = own_name().unwrap_or_else(|| "unnamed".to_owned());
    let pid = i32::try_from(std::process::id()).ok();
    local_user(&signed_in(account, pid.and_then(login_of)))
}

/// An account, and who signed in to the machine to use it: administrators share root and the service's account.
fn signed_in(account: String, login: Option<String>) -> String {
    match login {
        Some(login) if login != account => format!("{login} (as {account})"),
        _ => account,
    }
}

/// The user who signed in to the session that a process is of, however it changed its account since.
/// Source: Linux, `proc_pid_loginuid(5)`.
#[cfg(target_os = "linux")]
fn login_of(pid: i32) -> Option<String> {
    let login = std::fs::read_to_string(format!("/proc/{pid}/loginuid")).ok()?;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    login_name(&login, &users)
}

#[cfg(not(target_os = "linux"))]
fn login_of(_pid: i32) -> Option<String> {
    None
}

/// Services and what they start have no login: the number is the largest there is.
#[cfg(target_os = "linux")]
fn login_name(login: &str, users: &str) -> Option<String> {
    let uid: u32 = login.trim().parse().ok()?;
    if uid == u32::MAX {
        return None;
    }
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    });
    // Users of a directory service are not in the file.
    Some(name.unwrap_or_else(|| format!("user {uid}")))
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

    #[cfg(target_os = "linux")]
    #[test]
    fn whoever_signed_in_is_named_beside_the_account_that_they_use() {
        let users = "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh\n";
        let word = |login| signed_in("root".to_owned(), login_name(login, users));
        assert_eq!(word("1000"), "ada (as root)");
        assert_eq!(word("1001\n"), "user 1001 (as root)");
        assert_eq!(word("0"), "root");
        for none in ["4294967295", "", "nobody"] {
            assert_eq!(word(none), "root", "{none}");
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
