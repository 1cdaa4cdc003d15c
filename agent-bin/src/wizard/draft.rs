//! The answers so far, for a setup that is taken up again. No secret is among them.

use std::io;
use std::path::{Path, PathBuf};

use crate::durable_file::{self, Audience};
use crate::private_folder;
use crate::setup_args::SetupArgs;

pub(super) struct Draft(PathBuf);

impl Draft {
    pub(super) fn beside(config_path: &Path) -> Self {
        Self(config_path.with_extension("draft.toml"))
    }

    /// One that cannot be read is as good as none: everything is asked.
    pub(super) fn load(&self) -> Option<SetupArgs> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        toml::from_str(&text).ok()
    }

    pub(super) fn save(&self, args: &SetupArgs) -> io::Result<()> {
        let text = toml::to_string(args).map_err(io::Error::other)?;
        if let Some(folder) = self.0.parent() {
            private_folder::make_readable(folder)?;
        }
        durable_file::replace(&self.0, text.as_bytes(), Audience::Owner)
    }

    pub(super) fn remove(&self) {
        // There may be none.
        let _ = std::fs::remove_file(&self.0);
    }
}
