//! Who may reset whom, as one tenant's answers tell it.

use serde_json::{Value, json};
use sync_engine::model::ObjectId;
use sync_engine::model::ResetRole::{PrivilegedAuthenticationAdministrator, UserAdministrator};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::test_tenant::{TOKEN_PATH, Tenant, graph_error, id};

const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const PRIVILEGED: &str = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const NO_ROLE: &str = "0997a1d0-0d1d-4acb-b408-d5ca73121e90";
const ASSIGNMENTS: &str = "/v1.0/roleManagement/directory/roleAssignments";
const GROUPS: &str = "/v1.0/groups";
const AGENT: u8 = 9;
const EVERYTHING: [&str; 5] = [
    "User.Read.All",
    "Domain.Read.All",
    "User-PasswordProfile.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "GroupMember.Read.All",
];

async fn tenant(permissions: &[&str], roles: Option<&[&str]>) -> Tenant {
    let mut claims = json!({
        "oid": id(AGENT).to_string(),
        "tid": uuid::Uuid::from_u128(1),
        "roles": permissions,
    });
    if let Some(roles) = roles {
        claims["wids"] = json!(roles);
    }
    Tenant::with_claims(&claims).await
}

async fn answer(tenant: &Tenant, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

fn page(entries: &[Value]) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "value": entries }))
}

fn assignment(principal: ObjectId, role: &str, scope: &str) -> Value {
    json!({
        "principalId": principal.to_string(),
        "roleDefinitionId": role,
        "directoryScopeId": scope,
    })
}

fn objects(ids: &[u8]) -> ResponseTemplate {
    let entries: Vec<_> = ids
        .iter()
        .map(|n| json!({ "id": id(*n).to_string() }))
        .collect();
    page(&entries)
}

async fn assignments(tenant: &Tenant, entries: &[Value]) {
    answer(tenant, ASSIGNMENTS, page(entries)).await;
}

/// One role-assignable group.
async fn group(tenant: &Tenant, group: u8, members: &[u8], owners: &[u8]) {
    answer(tenant, GROUPS, objects(&[group])).await;
    for (what, people) in [("members", members), ("owners", owners)] {
        let at = format!("{GROUPS}/{}/{what}", id(group));
        answer(tenant, &at, objects(people)).await;
    }
}

async fn no_groups(tenant: &Tenant) {
    answer(tenant, GROUPS, page(&[])).await;
}

#[tokio::test]
async fn each_administrator_needs_the_role_of_the_matrix_and_users_need_nothing_more() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    assignments(
        &tenant,
        &[
            assignment(id(AGENT), USER_ADMINISTRATOR, "/"),
            assignment(id(1), GLOBAL_ADMINISTRATOR, "/"),
            assignment(id(2), HELPDESK, "/"),
            assignment(id(3), "11111111-2222-3333-4444-555555555555", "/"),
        ],
    )
    .await;
    group(&tenant, 50, &[4], &[5]).await;
    let standing = tenant.directory().standing().await.unwrap();
    let lacking = |n| standing.rights.lacking(id(n));
    let privileged = Some(PrivilegedAuthenticationAdministrator);
    assert_eq!(lacking(1), privileged, "a Global Administrator");
    assert_eq!(lacking(2), None, "a Helpdesk Administrator");
    assert_eq!(lacking(3), privileged, "a custom role");
    assert_eq!(lacking(4), privileged, "a member of the group");
    assert_eq!(lacking(5), privileged, "an owner of the group");
    assert_eq!(lacking(6), None, "a user");
    assert_eq!(standing.findings, []);
    let identity = standing.identity;
    assert_eq!(identity.object, Some(id(AGENT)));
    assert_eq!(
        identity.roles,
        Some(["User Administrator".to_owned()].into())
    );
}

#[tokio::test]
async fn the_privileged_role_covers_everybody() {
    let tenant = tenant(&EVERYTHING, None).await;
    assignments(
        &tenant,
        &[
            assignment(id(AGENT), PRIVILEGED, "/"),
            assignment(id(1), GLOBAL_ADMINISTRATOR, "/"),
        ],
    )
    .await;
    group(&tenant, 50, &[4], &[]).await;
    let standing = tenant.directory().standing().await.unwrap();
    let own_group = [(id(50), PrivilegedAuthenticationAdministrator)];
    assert_eq!(standing.rights.lacking(id(1)), None);
    assert_eq!(standing.rights.lacking(id(4)), None);
    assert!(!standing.rights.accounts.contains_key(&own_group[0].0));
}

#[tokio::test]
async fn an_agent_without_a_role_may_reset_nobody_and_that_is_a_finding() {
    let tenant = tenant(&EVERYTHING, Some(&[NO_ROLE])).await;
    assignments(&tenant, &[assignment(id(1), GLOBAL_ADMINISTRATOR, "/")]).await;
    no_groups(&tenant).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, [Finding::NoRole]);
    assert!(standing.findings[0].forbids_writes());
    assert_eq!(standing.rights.lacking(id(6)), Some(UserAdministrator));
    let privileged = Some(PrivilegedAuthenticationAdministrator);
    assert_eq!(standing.rights.lacking(id(1)), privileged);
}

#[tokio::test]
async fn a_role_through_a_group_counts() {
    let tenant = tenant(&EVERYTHING, None).await;
    assignments(&tenant, &[assignment(id(50), USER_ADMINISTRATOR, "/")]).await;
    group(&tenant, 50, &[AGENT], &[]).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, []);
    assert_eq!(standing.rights.lacking(id(6)), None);
}

#[tokio::test]
async fn a_role_of_the_token_counts_where_a_group_can_have_given_it_and_does_not_say_to_whom() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    assignments(&tenant, &[assignment(id(50), USER_ADMINISTRATOR, "/")]).await;
    group(&tenant, 50, &[], &[]).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, []);
    assert_eq!(standing.rights.lacking(id(6)), None);
}

#[tokio::test]
async fn where_a_group_has_a_role_the_agent_may_be_in_it_unseen_and_nothing_is_concluded() {
    let tenant = tenant(&EVERYTHING, Some(&[NO_ROLE])).await;
    assignments(
        &tenant,
        &[
            assignment(id(50), USER_ADMINISTRATOR, "/"),
            assignment(id(1), GLOBAL_ADMINISTRATOR, "/"),
        ],
    )
    .await;
    group(&tenant, 50, &[], &[]).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, []);
    assert_eq!(standing.identity.roles, None);
    assert_eq!(standing.rights, ResetRights::default());
}

#[tokio::test]
async fn a_higher_role_of_a_group_has_the_benefit_of_the_doubt_and_a_lower_one_changes_nothing() {
    let privileged = Some(PrivilegedAuthenticationAdministrator);
    for (role, lacking) in [(PRIVILEGED, None), (HELPDESK, privileged)] {
        let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
        assignments(
            &tenant,
            &[
                assignment(id(AGENT), USER_ADMINISTRATOR, "/"),
                assignment(id(50), role, "/"),
                assignment(id(1), GLOBAL_ADMINISTRATOR, "/"),
            ],
        )
        .await;
        group(&tenant, 50, &[], &[]).await;
        let standing = tenant.directory().standing().await.unwrap();
        assert_eq!(standing.rights.lacking(id(1)), lacking, "{role}");
        let roles = standing.identity.roles.unwrap();
        assert_eq!(roles, ["User Administrator".to_owned()].into());
    }
}

/// How many tokens were asked for.
async fn tokens(tenant: &Tenant) -> usize {
    tenant.requests("POST", TOKEN_PATH).await.len()
}

#[tokio::test]
async fn what_was_granted_later_is_seen_once_the_token_is_not_fresh_any_more() {
    let tenant = tenant(&EVERYTHING[..3], Some(&[NO_ROLE])).await;
    let directory = tenant.directory();
    directory.standing().await.unwrap();
    directory.standing().await.unwrap();
    assert_eq!(tokens(&tenant).await, 1, "it is fresh");
    directory.session.age_token().await;
    directory.standing().await.unwrap();
    assert_eq!(tokens(&tenant).await, 2, "a permission may be there now");
}

#[tokio::test]
async fn a_role_that_was_given_later_is_seen_with_the_next_reading() {
    let tenant = tenant(&EVERYTHING, Some(&[NO_ROLE])).await;
    assignments(&tenant, &[]).await;
    no_groups(&tenant).await;
    let directory = tenant.directory();
    directory.standing().await.unwrap();
    directory.session.age_token().await;
    for asked in [1, 2, 2] {
        let standing = directory.standing().await.unwrap();
        assert_eq!(standing.findings, [Finding::NoRole]);
        assert_eq!(tokens(&tenant).await, asked);
    }
}

#[tokio::test]
async fn a_role_that_was_taken_away_counts_no_more_although_the_token_still_lists_it() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    assignments(&tenant, &[]).await;
    no_groups(&tenant).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, [Finding::NoRole]);
    assert_eq!(standing.rights.lacking(id(6)), Some(UserAdministrator));
}

#[tokio::test]
async fn a_role_for_a_part_of_the_tenant_has_the_benefit_of_the_doubt() {
    let tenant = tenant(&EVERYTHING, Some(&[NO_ROLE])).await;
    let unit = "/administrativeUnits/aaaaaaaa-0000-0000-0000-000000000001";
    assignments(
        &tenant,
        &[
            assignment(id(AGENT), USER_ADMINISTRATOR, unit),
            assignment(id(1), GLOBAL_ADMINISTRATOR, "/"),
        ],
    )
    .await;
    no_groups(&tenant).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, []);
    assert_eq!(standing.rights.lacking(id(6)), None);
    let privileged = Some(PrivilegedAuthenticationAdministrator);
    assert_eq!(standing.rights.lacking(id(1)), privileged);
    let roles = standing.identity.roles.unwrap();
    assert!(roles.contains("User Administrator (for a part of the tenant)"));
}

#[tokio::test]
async fn an_administrator_of_a_part_of_the_tenant_is_an_administrator() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    let unit = "/administrativeUnits/aaaaaaaa-0000-0000-0000-000000000001";
    assignments(&tenant, &[assignment(id(1), PRIVILEGED, unit)]).await;
    no_groups(&tenant).await;
    let standing = tenant.directory().standing().await.unwrap();
    let privileged = Some(PrivilegedAuthenticationAdministrator);
    assert_eq!(standing.rights.lacking(id(1)), privileged);
}

#[tokio::test]
async fn what_the_token_says_is_not_permitted_is_not_asked_for() {
    let tenant = tenant(&EVERYTHING[..3], Some(&[USER_ADMINISTRATOR])).await;
    let standing = tenant.directory().standing().await.unwrap();
    let unread: Vec<_> = standing.findings.iter().map(Finding::remedy).collect();
    assert_eq!(unread.len(), 2);
    assert!(unread[0].contains("RoleManagement.Read.Directory"));
    assert!(unread[1].contains("GroupMember.Read.All"));
    assert!(!standing.findings.iter().any(Finding::forbids_writes));
    assert_eq!(standing.rights, ResetRights::default());
    assert!(tenant.requests("GET", "").await.is_empty());
}

#[tokio::test]
async fn without_role_assignments_nobody_is_refused_beforehand_but_the_missing_role_is_told() {
    let tenant = tenant(&EVERYTHING[..3], Some(&[NO_ROLE])).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert!(standing.findings.contains(&Finding::NoRole));
    assert_eq!(standing.rights, ResetRights::default());
}

#[tokio::test]
async fn a_token_without_roles_and_no_right_to_read_them_says_nothing_of_a_role() {
    let tenant = tenant(&EVERYTHING[..3], None).await;
    let standing = tenant.directory().standing().await.unwrap();
    assert!(!standing.findings.contains(&Finding::NoRole));
    assert_eq!(standing.identity.roles, None);
}

#[tokio::test]
async fn a_refusal_that_the_token_did_not_foretell_leaves_the_rights_unknown() {
    for refused in [
        graph_error(403, "Authorization_RequestDenied", "no"),
        graph_error(400, "Request_UnsupportedQuery", "no"),
    ] {
        let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
        answer(&tenant, ASSIGNMENTS, refused).await;
        no_groups(&tenant).await;
        let standing = tenant.directory().standing().await.unwrap();
        assert!(matches!(
            standing.findings[..],
            [Finding::RightsUnknown { .. }]
        ));
        assert_eq!(standing.rights, ResetRights::default());
    }
}

#[tokio::test]
async fn a_service_that_is_not_available_is_no_finding() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    answer(&tenant, ASSIGNMENTS, ResponseTemplate::new(503)).await;
    let error = tenant.directory().standing().await.unwrap_err();
    assert!(matches!(error, GraphError::Service(_)), "{error:?}");
}

#[tokio::test]
async fn a_missing_write_permission_is_a_finding_that_forbids_writes() {
    let held = ["User.Read.All", "Domain.Read.All"];
    let tenant = tenant(&held, Some(&[USER_ADMINISTRATOR])).await;
    let standing = tenant.directory().standing().await.unwrap();
    let first = &standing.findings[0];
    assert!(first.forbids_writes());
    assert_eq!(
        first.to_string(),
        "the agent's app lacks the permission User-PasswordProfile.ReadWrite.All: it cannot set passwords"
    );
}

#[tokio::test]
async fn an_opaque_token_says_nothing_and_nothing_is_asked() {
    let tenant = Tenant::start().await;
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, [Finding::TokenUnreadable]);
    assert_eq!(standing.rights, ResetRights::default());
    assert!(tenant.requests("GET", "").await.is_empty());
}

#[tokio::test]
async fn assignments_are_read_page_by_page_and_groups_by_what_they_can_hold() {
    let tenant = tenant(&EVERYTHING, Some(&[USER_ADMINISTRATOR])).await;
    let next = format!("{}{ASSIGNMENTS}?$skiptoken=2", tenant.server.uri());
    Mock::given(method("GET"))
        .and(path(ASSIGNMENTS))
        .and(query_param("$skiptoken", "2"))
        .respond_with(page(&[assignment(id(1), GLOBAL_ADMINISTRATOR, "/")]))
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    Mock::given(method("GET"))
        .and(path(ASSIGNMENTS))
        .and(query_param(
            "$select",
            "principalId,roleDefinitionId,directoryScopeId",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "value": [],
            "@odata.nextLink": next,
        })))
        .mount(&tenant.server)
        .await;
    Mock::given(method("GET"))
        .and(path(GROUPS))
        .and(query_param("$filter", "isAssignableToRole eq true"))
        .respond_with(page(&[]))
        .mount(&tenant.server)
        .await;
    let standing = tenant.directory().standing().await.unwrap();
    assert!(standing.rights.lacking(id(1)).is_some());
}

#[tokio::test]
async fn a_group_that_is_deleted_meanwhile_has_nobody() {
    let tenant = tenant(&EVERYTHING, None).await;
    let own = assignment(id(AGENT), USER_ADMINISTRATOR, "/");
    assignments(&tenant, &[own]).await;
    answer(&tenant, GROUPS, objects(&[50])).await;
    for what in ["members", "owners"] {
        let gone = graph_error(404, "Request_ResourceNotFound", "gone");
        answer(&tenant, &format!("{GROUPS}/{}/{what}", id(50)), gone).await;
    }
    let standing = tenant.directory().standing().await.unwrap();
    assert_eq!(standing.findings, []);
}
