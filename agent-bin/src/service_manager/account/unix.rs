//! Accounts of a system whose services need no password: whoever installs them may give them to any user.

use std::process::{Command, Stdio};

use super::{Account, AccountError, Look};

/// Source: `getent(1)`, exit status.
const NOT_FOUND: i32 = 2;

pub(super) fn wants_password(_: &str) -> bool {
    false
}

pub(super) fn look(account: &Account) -> Result<Look, AccountError> {
    if account.password.is_some() {
        return Err(AccountError::UselessPassword);
    }
    // It knows users of a directory service, too, as /etc/passwd does not.
    let asked = Command::new("getent")
        .args(["passwd", "--", &account.name])
        .stdin(Stdio::null())
        .output();
    match asked {
        Ok(answer) if answer.status.success() => Ok(Look::Good),
        Ok(answer) if answer.status.code() == Some(NOT_FOUND) => Err(AccountError::Unknown {
            name: account.name.clone(),
        }),
        Ok(answer) => Ok(not_told(&answer.status.to_string())),
        Err(error) => Ok(not_told(&error.to_string())),
    }
}

fn not_told(why: &str) -> Look {
    Look::NotTold {
        why: format!("getent: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, password: Option<&str>) -> Account {
        Account {
            name: name.to_owned(),
            password: password.map(Into::into),
        }
    }

    #[test]
    fn a_user_of_this_machine_is_known_and_another_is_not() {
        assert_eq!(account("root", None).look(), Ok(Look::Good));
        for name in ["nobody-is-called-so", "--version", ""] {
            let error = account(name, None).look().unwrap_err();
            assert_eq!(
                error,
                AccountError::Unknown {
                    name: name.to_owned()
                }
            );
        }
    }

    #[test]
    fn a_password_is_not_taken_and_forgotten() {
        let error = account("root", Some("secret")).look().unwrap_err();
        assert_eq!(error, AccountError::UselessPassword);
    }
}
