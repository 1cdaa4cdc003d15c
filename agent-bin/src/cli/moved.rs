//! `passportal-agent export` and `import`: an agent on its way to another machine.

use std::path::Path;

use agent_bin::moving::{self, MoveError};
use agent_bin::secrets::read_secret_file;

use super::{CommandError, tell};

pub(super) fn export(config: &Path, file: &Path, passphrase: &Path) -> Result<(), CommandError> {
    let passphrase = read_secret_file(passphrase).map_err(MoveError::from)?;
    moving::export_to(config, &passphrase, file)?;
    tell(&format!(
        "the agent is in {}; stop it here before it runs elsewhere: `passportal-agent service uninstall`",
        file.display()
    ));
    Ok(())
}

pub(super) fn import(config: &Path, file: &Path, passphrase: &Path) -> Result<(), CommandError> {
    let passphrase = read_secret_file(passphrase).map_err(MoveError::from)?;
    let moved = moving::import_from(file, &passphrase, config)?;
    tell(&format!("clients: {}", moved.clients.join(", ")));
    for path in moved.files {
        tell(&format!("file: {}", path.display()));
    }
    tell("its memory stays where it was: the first cycle checks before it writes");
    Ok(())
}
