//! Which of the processes that hold one agent's token this is: the vault's lease belongs to one of them.

use uuid::Uuid;

/// The same for one process after another over one state file, as long as the machine runs: that file's lock proves
/// that the one before has ended, so its successor need not wait for the end of its lease. Another one for every
/// copy of the file, wherever it is. Where this cannot be told it is new for each process, which then waits.
pub(crate) fn of(state_url: &str) -> Uuid {
    seat(state_url).unwrap_or_else(Uuid::new_v4)
}

/// A boot of a machine has a random id, and on a machine each file its device and inode.
#[cfg(target_os = "linux")]
fn seat(state_url: &str) -> Option<Uuid> {
    use std::os::unix::fs::MetadataExt as _;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let boot = Uuid::try_parse(boot.trim()).ok()?;
    let state = std::fs::metadata(state_store::database_path(state_url).ok()?).ok()?;
    let file = (u128::from(state.dev()) << 64) | u128::from(state.ino());
    Some(Uuid::from_u128(boot.as_u128() ^ file))
}

#[cfg(not(target_os = "linux"))]
fn seat(_state_url: &str) -> Option<Uuid> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_of_the_state_file_is_another_instance_and_a_restart_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
        std::fs::write(folder.path().join("state.db"), "memory").unwrap();
        std::fs::copy(
            folder.path().join("state.db"),
            folder.path().join("copy.db"),
        )
        .unwrap();
        let original = of(&url("state.db"));
        std::fs::write(folder.path().join("state.db"), "more of it").unwrap();
        assert_eq!(of(&url("state.db")), original);
        assert_ne!(of(&url("copy.db")), original);
    }

    #[test]
    fn without_a_state_file_every_process_is_another_instance() {
        let url = "postgres://db.example/agent";
        assert_ne!(of(url), of(url));
    }
}
