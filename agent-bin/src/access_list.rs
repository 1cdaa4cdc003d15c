//! Who may enter a folder of the agent's on Windows, by the system's own `icacls`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Source: Microsoft, well-known SIDs. Their names differ from language to language.
const SYSTEM: &str = "*S-1-5-18";
const ADMINISTRATORS: &str = "*S-1-5-32-544";
const OWNER: &str = "*S-1-3-4";
const ALL_BELOW: &str = ":(OI)(CI)";

/// A new folder for whoever made it, the system and administrators.
pub(crate) fn only_for_its_owner(folder: &Path) -> io::Result<()> {
    restrict(folder, &full(OWNER))
}

/// A folder, whoever made it, for administrators, the system and one account, which may change what is in it.
pub(crate) fn only_for(folder: &Path, account: &str) -> io::Result<()> {
    run(folder, ["/setowner", ADMINISTRATORS, "/t", "/c"])?;
    run(folder, ["/reset", "/t", "/c"])?;
    restrict(folder, &format!("{account}{ALL_BELOW}M"))
}

fn restrict(folder: &Path, grant: &str) -> io::Result<()> {
    let [system, administrators] = [SYSTEM, ADMINISTRATORS].map(full);
    let options = [
        "/inheritance:r",
        "/grant:r",
        grant,
        &system,
        &administrators,
    ];
    run(folder, options)
}

fn full(sid: &str) -> String {
    format!("{sid}{ALL_BELOW}F")
}

fn run<const N: usize>(folder: &Path, options: [&str; N]) -> io::Result<()> {
    let ended = Command::new(program(std::env::var_os("SystemRoot")))
        .arg(folder)
        .args(options)
        .arg("/q")
        .stdin(Stdio::null())
        .output()?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(io::Error::other(format!("icacls: {}", said.trim())))
}

/// Never one that lies in the current folder.
fn program(system_root: Option<OsString>) -> PathBuf {
    let root = system_root.unwrap_or_else(|| OsStr::new(r"C:\Windows").to_owned());
    Path::new(&root).join("System32").join("icacls.exe")
}
