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
    restrict(folder, &format!("{}{ALL_BELOW}M", trustee(account)))
}

/// A service's account as access lists know it.
fn trustee(account: &str) -> &str {
    match account.strip_prefix(r".\") {
        Some(local) => local,
        None if account.eq_ignore_ascii_case("LocalSystem") => SYSTEM,
        None => account,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_account_is_named_as_icacls_knows_it() {
        for (account, name) in [
            (
                r"NT SERVICE\passportal-agent",
                r"NT SERVICE\passportal-agent",
            ),
            (r"CONTOSO\gmsa$", r"CONTOSO\gmsa$"),
            (r".\ada", "ada"),
            ("LocalSystem", SYSTEM),
        ] {
            assert_eq!(trustee(account), name);
        }
    }

    #[test]
    fn the_program_is_windows_own() {
        let usual = program(None);
        assert_eq!(usual, Path::new(r"C:\Windows\System32\icacls.exe"));
        let elsewhere = program(Some(r"D:\Windows".into()));
        assert_eq!(elsewhere, Path::new(r"D:\Windows\System32\icacls.exe"));
    }
}
