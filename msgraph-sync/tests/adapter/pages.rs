//! Readings that take several pages.

use sync_engine::model::{Extent, Password, ResetRole};
use sync_engine::ports::{Directory, PasswordWrite, SetPassword};

use crate::world::{OF_SMALL_PAGES, directory_of, find};

const NAMES: [&str; 5] = ["ida", "jan", "kim", "lea", "max"];

fn name(of: &str) -> String {
    format!("{of}@fabrikam.onmicrosoft.com")
}

#[tokio::test]
async fn accounts_on_several_pages_are_read_whole_and_so_are_their_changes() {
    let directory = directory_of(OF_SMALL_PAGES);
    let all = directory.changes(None).await.unwrap();
    assert_eq!(all.extent, Extent::Full);
    assert_eq!(all.accounts.len(), NAMES.len());
    let written_to = ["ida", "jan", "kim"].map(name);
    let writes = written_to.each_ref().map(|name| PasswordWrite {
        object: find(&all, name).id,
        password: Password::new("Fabrikam-fixture-2"),
    });
    for written in directory.set_passwords(&writes).await {
        assert!(matches!(written, SetPassword::Accepted(_)), "{written:?}");
    }
    let changes = directory.changes(Some(&all.link)).await.unwrap();
    assert_eq!(changes.extent, Extent::Changes);
    assert_eq!(changes.accounts.len(), written_to.len());
    for name in &written_to {
        assert!(find(&changes, name).stamp > find(&all, name).stamp);
    }
}

#[tokio::test]
async fn role_assignments_on_several_pages_are_read_whole() {
    let directory = directory_of(OF_SMALL_PAGES);
    let all = directory.changes(None).await.unwrap();
    let rights = directory.reset_rights().await.unwrap();
    let lacking = |of: &str| rights.lacking(find(&all, &name(of)).id);
    assert_eq!(lacking("ida"), None);
    for of in ["lea", "max"] {
        let wanted = Some(ResetRole::PrivilegedAuthenticationAdministrator);
        assert_eq!(lacking(of), wanted, "{of}");
    }
}
