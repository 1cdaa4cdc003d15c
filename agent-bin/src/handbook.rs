//! What packages bring along about a command line: man pages and shell completions, made from the command line itself.

use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

/// Writes a page for the program and one for each of its commands.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_man_pages(command: Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

/// Writes the completions for a shell.
///
/// # Errors
/// When they cannot be written.
pub fn write_completions(
    mut command: Command,
    shell: Shell,
    mut out: impl Write,
) -> io::Result<()> {
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    out.write_all(&text)
}
