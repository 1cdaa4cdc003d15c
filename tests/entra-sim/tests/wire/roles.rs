//! Role assignments, role-assignable groups, and what they decide about a reset.

use entra_sim::{AppChange, AppSpec, GroupSpec, TenantChange, UserSpec, Verification};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::support::{APP, Answer, NEW, READER, RIGHT, SECRET, Sim, TENANT, contoso};

const ASSIGNMENTS: &str = "roleManagement/directory/roleAssignments";
const GROUPS: &str = "groups?$filter=isAssignableToRole%20eq%20true&$select=id";
const DEFAULTS: &str = "policies/identitySecurityDefaultsEnforcementPolicy";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const AUDITOR: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e04");

fn with_auditor() -> entra_sim::TenantSpec {
    contoso()
        .app(AppSpec::confidential(AUDITOR, SECRET).permissions(&[
            "RoleManagement.Read.Directory",
            "GroupMember.Read.All",
            "Policy.Read.All",
        ]))
        .group(
            GroupSpec::new("Tier 0")
                .member("anna@contoso.com")
                .owner("mfa@contoso.com"),
        )
}

async fn get(sim: &Sim, app: Uuid, path: &str) -> Answer {
    let url = format!("{}/v1.0/{path}", sim.url);
    let token = sim.token_of(app).await;
    Answer::of(sim.http.get(url).bearer_auth(token).send().await.unwrap()).await
}

fn values<'a>(answer: &'a Answer, property: &str) -> Vec<&'a str> {
    let entries = answer.body["value"].as_array().unwrap();
    entries
        .iter()
        .map(|it| it[property].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_assignment_is_listed_with_its_role_and_its_scope() {
    let sim = Sim::of(with_auditor());
    let answer = get(&sim, AUDITOR, ASSIGNMENTS).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let boss = sim.simulator.user_id(TENANT, "boss@contoso.com").unwrap();
    let entries = answer.body["value"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{}", answer.body);
    let of_boss: Vec<&Value> = entries
        .iter()
        .filter(|it| it["principalId"] == json!(boss))
        .collect();
    assert_eq!(of_boss[0]["roleDefinitionId"], GLOBAL_ADMINISTRATOR);
    assert_eq!(of_boss[0]["directoryScopeId"], "/");
}

#[tokio::test]
async fn assignments_come_in_pages_and_can_be_filtered_and_selected() {
    let users = (0..150).map(|n| format!("admin{n}@contoso.com"));
    let tenant = users.fold(with_auditor(), |tenant, name| {
        tenant.user(UserSpec::new(&name, RIGHT).roles(&["Reports Reader"]))
    });
    let sim = Sim::of(tenant);
    let first = get(&sim, AUDITOR, &format!("{ASSIGNMENTS}?$select=principalId")).await;
    assert_eq!(values(&first, "principalId").len(), 100);
    assert!(first.body["value"][0].get("roleDefinitionId").is_none());
    let link = first.body["@odata.nextLink"].as_str().unwrap();
    let request = sim.http.get(link).bearer_auth(sim.token_of(AUDITOR).await);
    let second = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(values(&second, "principalId").len(), 52);
    assert!(second.body.get("@odata.nextLink").is_none());
    let boss = sim.simulator.user_id(TENANT, "boss@contoso.com").unwrap();
    let of_boss = format!("{ASSIGNMENTS}?$filter=principalId%20eq%20'{boss}'");
    let filtered = get(&sim, AUDITOR, &of_boss).await;
    assert_eq!(values(&filtered, "principalId"), [boss.to_string()]);
}

#[tokio::test]
async fn role_assignable_groups_show_their_members_and_owners() {
    let sim = Sim::of(with_auditor());
    let groups = get(&sim, AUDITOR, GROUPS).await;
    let id = values(&groups, "id")[0].to_owned();
    for (relation, user) in [("members", "anna"), ("owners", "mfa")] {
        let answer = get(&sim, AUDITOR, &format!("groups/{id}/{relation}?$select=id")).await;
        let name = format!("{user}@contoso.com");
        let expected = sim.simulator.user_id(TENANT, &name).unwrap().to_string();
        assert_eq!(values(&answer, "id"), [expected]);
    }
    let none = get(
        &sim,
        AUDITOR,
        "groups?$filter=isAssignableToRole%20eq%20false",
    )
    .await;
    assert!(values(&none, "id").is_empty());
    let nowhere = get(&sim, AUDITOR, &format!("groups/{}/members", Uuid::nil())).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_its_permission_each_of_these_reads_is_denied() {
    let sim = Sim::of(with_auditor());
    let group = get(&sim, AUDITOR, GROUPS).await;
    let group = values(&group, "id")[0].to_owned();
    for path in [
        ASSIGNMENTS,
        GROUPS,
        &format!("groups/{group}/members"),
        &format!("groups/{group}/owners"),
        DEFAULTS,
    ] {
        let answer = get(&sim, READER, path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(answer.graph_code(), "Authorization_RequestDenied");
    }
}

#[tokio::test]
async fn security_defaults_are_told_as_they_are() {
    let sim = Sim::of(with_auditor());
    assert_eq!(get(&sim, AUDITOR, DEFAULTS).await.body["isEnabled"], false);
    let on = TenantChange {
        verification: Some(Verification::SecurityDefaults),
        ..TenantChange::default()
    };
    sim.simulator.change_tenant(TENANT, on).unwrap();
    assert_eq!(get(&sim, AUDITOR, DEFAULTS).await.body["isEnabled"], true);
}

#[tokio::test]
async fn members_and_owners_of_a_role_assignable_group_need_a_privileged_role() {
    let sim = Sim::of(with_auditor());
    for user in ["anna@contoso.com", "mfa@contoso.com"] {
        let answer = sim.set_password(user, NEW).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{user}");
    }
    give(&sim, &["Privileged Authentication Administrator"]);
    for user in ["anna@contoso.com", "mfa@contoso.com", "boss@contoso.com"] {
        let answer = sim.set_password(user, NEW).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{user}");
    }
}

#[tokio::test]
async fn an_application_has_the_roles_of_its_groups() {
    let mut tenant = contoso().group(
        GroupSpec::new("Automation")
            .member(&APP.to_string())
            .roles(&["User Administrator"]),
    );
    for app in &mut tenant.apps {
        app.roles.clear();
    }
    let sim = Sim::of(tenant);
    let answer = sim.set_password("anna@contoso.com", NEW).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_role_is_given_and_taken_through_the_control_endpoint() {
    let sim = Sim::of(contoso());
    let path = format!("tenants/{TENANT}/apps/{APP}/patch");
    let taken = sim
        .control(reqwest::Method::POST, &path, json!({ "roles": [] }))
        .await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT);
    let denied = sim.set_password("anna@contoso.com", NEW).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    give(&sim, &["User Administrator"]);
    let done = sim.set_password("anna@contoso.com", NEW).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    let nobody = format!("tenants/{TENANT}/apps/{}/patch", Uuid::nil());
    let unknown = sim.control(reqwest::Method::POST, &nobody, json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

fn give(sim: &Sim, roles: &[&str]) {
    let change = AppChange {
        roles: Some(roles.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    };
    sim.simulator.change_app(TENANT, APP, change).unwrap();
}
