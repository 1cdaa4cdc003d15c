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
/// Something must be in it.
pub(crate) fn only_for(folder: &Path, account: &str) -> io::Result<()> {
    let account = format!("{}{ALL_BELOW}M", trustee(account));
    let steps = steps(folder, &account);
    steps.iter().try_for_each(|(what, options)| {
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        run(what, &options)
    })
}

/// What `icacls` is told, of what. A list that is reset is for a moment the one of the folder above, which lets everyone
/// in: by then each thing within is closed by a list of its own.
fn steps(folder: &Path, account: &str) -> Vec<(PathBuf, Vec<String>)> {
    let within = folder.join("*");
    let owned = || told(&["/setowner", ADMINISTRATORS, "/t", "/c"]);
    vec![
        (folder.to_owned(), owned()),
        (
            within.clone(),
            [closed(account), told(&["/t", "/c"])].concat(),
        ),
        (folder.to_owned(), told(&["/reset"])),
        (folder.to_owned(), closed(account)),
        (within, told(&["/reset", "/t", "/c"])),
        // Of whatever somebody put there in that moment.
        (folder.to_owned(), owned()),
    ]
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
    let options = closed(grant);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    run(folder, &options)
}

/// For one, the system and administrators; nothing is inherited from above.
fn closed(grant: &str) -> Vec<String> {
    let [system, administrators] = [SYSTEM, ADMINISTRATORS].map(full);
    told(&[
        "/inheritance:r",
        "/grant:r",
        grant,
        &system,
        &administrators,
    ])
}

fn told(options: &[&str]) -> Vec<String> {
    options.iter().map(ToString::to_string).collect()
}

fn full(sid: &str) -> String {
    format!("{sid}{ALL_BELOW}F")
}

fn run(folder: &Path, options: &[&str]) -> io::Result<()> {
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
    fn nothing_within_a_folder_is_open_while_its_own_list_is() {
        let folder = Path::new(r"C:\ProgramData\passportal-agent");
        let steps = steps(folder, "service:M");
        let within = folder.join("*");
        let place = |path: &Path, option: &str| {
            let is = |(what, options): &(PathBuf, Vec<String>)| {
                what == path && options.iter().any(|it| it == option)
            };
            steps.iter().position(is).unwrap()
        };
        let order = [
            place(&within, "/inheritance:r"),
            place(folder, "/reset"),
            place(folder, "/inheritance:r"),
            place(&within, "/reset"),
        ];
        assert!(order.is_sorted(), "{steps:?}");
        // The folder itself, without what is in it.
        let (_, reset) = &steps[place(folder, "/reset")];
        assert_eq!(reset, &["/reset"]);
    }

    #[test]
    fn the_program_is_windows_own() {
        let usual = program(None);
        assert_eq!(usual, Path::new(r"C:\Windows\System32\icacls.exe"));
        let elsewhere = program(Some(r"D:\Windows".into()));
        assert_eq!(elsewhere, Path::new(r"D:\Windows\System32\icacls.exe"));
    }
}
