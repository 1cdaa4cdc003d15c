//! Who the agent is, whom it may reset, and what keeps it from its work.

use msgraph_sync::Finding;
use sync_engine::model::ResetRole;
use sync_engine::ports::Directory;

use crate::world::{READER, directory, directory_of, find};

#[tokio::test]
async fn the_agents_role_and_whom_it_does_not_cover_are_known_beforehand() {
    let directory = directory();
    let all = directory.changes(None).await.unwrap();
    let standing = directory.standing().await.unwrap();
    assert_eq!(standing.findings, []);
    let roles = standing.identity.roles.unwrap();
    assert!(roles.iter().eq(["User Administrator"]), "{roles:?}");
    let lacking = |name: &str| standing.rights.lacking(find(&all, name).id);
    assert_eq!(lacking("anna@contoso.com"), None);
    let privileged = Some(ResetRole::PrivilegedAuthenticationAdministrator);
    assert_eq!(lacking("global@contoso.com"), privileged);
    // A member of a role-assignable group, and its owner.
    assert_eq!(lacking("tier@contoso.com"), privileged);
    assert_eq!(lacking("owner@contoso.com"), privileged);
}

#[tokio::test]
async fn a_preflight_passes_where_nothing_is_missing() {
    let preflight = directory().preflight().await.unwrap();
    assert_eq!(preflight.findings, []);
    assert_eq!(preflight.domains.len(), 3);
    assert!(preflight.identity.object.is_some());
}

#[tokio::test]
async fn a_preflight_names_what_an_app_lacks_that_may_only_read() {
    let preflight = directory_of(READER).preflight().await.unwrap();
    assert!(preflight.findings.iter().any(Finding::forbids_writes));
    let unknown = |finding: &&Finding| matches!(finding, Finding::RightsUnknown { .. });
    assert_eq!(preflight.findings.iter().filter(unknown).count(), 2);
}
