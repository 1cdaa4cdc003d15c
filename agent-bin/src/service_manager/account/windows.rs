//! Accounts of Windows: some have no password of their own, that of any other is tried before the service gets it.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Account, AccountError, Look};
use crate::causes::chain;

/// Asks the machine or its domain. What it is to try comes by standard input, so that no list of processes has it.
/// It holds no double quote, which would not reach it as one.
const SCRIPT: &str = "\
    $ErrorActionPreference='Stop';\
    Add-Type -AssemblyName System.DirectoryServices.AccountManagement;\
    $in=New-Object IO.StreamReader([Console]::OpenStandardInput(),[Text.Encoding]::UTF8);\
    $domain=$in.ReadLine();$name=$in.ReadLine();$password=$in.ReadLine();\
    $kind='Domain';if($domain -eq $env:COMPUTERNAME){$kind='Machine'};\
    $there=New-Object DirectoryServices.AccountManagement.PrincipalContext($kind,$domain);\
    if($there.ValidateCredentials($name,$password)){'right'}else{'wrong'}";

pub(super) fn wants_password(name: &str) -> bool {
    !(name.eq_ignore_ascii_case("LocalSystem")
        || is_of(name, "NT SERVICE")
        || is_of(name, "NT AUTHORITY")
        || name.ends_with('$'))
}

fn is_of(name: &str, authority: &str) -> bool {
    let of = name.split_once('\\').map(|(of, _)| of);
    of.is_some_and(|of| of.eq_ignore_ascii_case(authority))
}

pub(super) fn look(account: &Account) -> Result<Look, AccountError> {
    if !wants_password(&account.name) {
        return Ok(Look::Good);
    }
    let this_machine = std::env::var("COMPUTERNAME").unwrap_or_default();
    let Some(whose) = Whose::of(&account.name, &this_machine) else {
        return Err(AccountError::NotWhole {
            name: account.name.clone(),
        });
    };
    let Some(password) = &account.password else {
        return Err(AccountError::NoPassword {
            name: account.name.clone(),
        });
    };
    let answer = match ask(&whose, password) {
        Ok(answer) => answer,
        Err(error) => {
            return Ok(Look::NotTold { why: chain(&error) });
        }
    };
    match answer.stdout.trim_ascii() {
        b"right" => Ok(Look::Good),
        b"wrong" => Err(AccountError::Wrong {
            name: account.name.clone(),
        }),
        _ => Ok(Look::NotTold {
            why: first_line(&answer),
        }),
    }
}

fn first_line(answer: &Output) -> String {
    let said = String::from_utf8_lossy(&answer.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || "PowerShell said nothing".to_owned(),
        |line| line.trim().to_owned(),
    )
}

/// Who knows an account, and by what name.
#[derive(Debug, PartialEq, Eq)]
struct Whose<'a> {
    domain: &'a str,
    name: &'a str,
}

impl<'a> Whose<'a> {
    fn of(account: &'a str, this_machine: &'a str) -> Option<Self> {
        let (domain, name) = match account.split_once('\\') {
            Some((".", name)) => (this_machine, name),
            Some(whole) => whole,
            None => (account.split_once('@')?.1, account),
        };
        let is_line = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        (is_line(domain) && is_line(name)).then_some(Self { domain, name })
    }
}

fn ask(whose: &Whose<'_>, password: &SecretString) -> io::Result<Output> {
    let mut powershell = Command::new(program(std::env::var_os("SystemRoot").as_deref()))
        .args([
            "-NoLogo",
            "-NoProfile",
            "-NonInteractive",
            "-Command",
            SCRIPT,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = powershell.stdin.take() {
        let Whose { domain, name } = whose;
        // Where it ended without reading, what it says tells more than the pipe.
        let _ = writeln!(
            input,
            "{domain}\r\n{name}\r\n{}\r",
            password.expose_secret()
        );
    }
    powershell.wait_with_output()
}

/// Never one that lies in the current folder.
fn program(system_root: Option<&OsStr>) -> PathBuf {
    let root = system_root.unwrap_or_else(|| OsStr::new(r"C:\Windows"));
    Path::new(root).join(r"System32\WindowsPowerShell\v1.0\powershell.exe")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(account: &str) -> Option<(&str, &str)> {
        Whose::of(account, "SRV1").map(|it| (it.domain, it.name))
    }

    #[test]
    fn an_account_is_of_a_domain_or_of_this_machine() {
        assert_eq!(whose(r"CONTOSO\svc"), Some(("CONTOSO", "svc")));
        assert_eq!(whose(r".\svc"), Some(("SRV1", "svc")));
        assert_eq!(
            whose("svc@contoso.com"),
            Some(("contoso.com", "svc@contoso.com"))
        );
        for account in ["svc", "", r"CONTOSO\", r"\svc", "CONTOSO\\a\nb"] {
            assert_eq!(whose(account), None, "{account:?}");
        }
    }

    #[test]
    fn whom_windows_looks_after_has_no_password() {
        for name in [
            r"NT SERVICE\passportal-agent",
            r"nt authority\LocalService",
            "LocalSystem",
            r"CONTOSO\gmsa$",
        ] {
            assert!(!wants_password(name), "{name}");
        }
        assert!(wants_password(r"CONTOSO\svc"));
    }

    #[test]
    fn nothing_in_the_script_needs_quoting_for_a_command_line() {
        assert!(!SCRIPT.contains(['"', '\n', '%', '\\']), "{SCRIPT}");
    }

    #[test]
    fn a_password_is_needed_before_anybody_is_asked() {
        let account = |name: &str| Account {
            name: name.to_owned(),
            password: None,
        };
        let error = account(r"CONTOSO\svc").look().unwrap_err();
        assert!(matches!(error, AccountError::NoPassword { .. }), "{error}");
        let error = account("svc").look().unwrap_err();
        assert!(matches!(error, AccountError::NotWhole { .. }), "{error}");
    }
}
