//! Who may reset whom.

use std::collections::BTreeMap;

use entra_sim::{AppSpec, GroupSpec, TenantSpec, UserSpec};
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use sync_engine::model::{ObjectId, TenantId};

use crate::world::{APP, SECRET, TENANT, Tenant, profile, read, reference, serving};

/// What the reference says of one kind of account: by actor, whether it may be reset.
type Row = BTreeMap<String, bool>;

/// An account of the kind that a row of the matrix is about; none where the simulator does not have it.
fn account_of(kind: &str, name: &str) -> Option<UserSpec> {
    let user = UserSpec::new(name, "First-Passw0rd");
    match kind {
        "User (no admin role)" | "User, no role but member/owner of a role-assignable group" => {
            Some(user)
        }
        "User with role scoped to restricted-management AU" => None,
        "All other built-in and custom roles" => Some(user.roles(&["Billing Administrator"])),
        role => Some(user.roles(&[&in_full(role)])),
    }
}

/// The reference shortens the names of roles.
fn in_full(role: &str) -> String {
    match role.strip_suffix(" Admin") {
        Some(short) => format!("{short} Administrator").replace("Auth ", "Authentication "),
        None => role.to_owned(),
    }
}

/// A tenant with an account of each kind, in which the app has this role: the accounts' names by kind.
fn tenant_of(
    actor: &str,
    matrix: &BTreeMap<String, Row>,
) -> (TenantSpec, BTreeMap<String, String>) {
    let app = AppSpec::confidential(APP, SECRET)
        .permissions(&[
            "User.Read.All",
            "User-PasswordProfile.ReadWrite.All",
            "RoleManagement.Read.Directory",
            "GroupMember.Read.All",
        ])
        .roles(&[&in_full(actor)]);
    let mut spec = TenantSpec::new(TENANT).app(app);
    let mut names = BTreeMap::new();
    let mut group = GroupSpec::new("Tier 0");
    for (number, kind) in matrix.keys().enumerate() {
        let name = format!("account{number}@{TENANT}");
        if kind.contains("role-assignable") {
            group = group.member(&name);
        }
        if let Some(user) = account_of(kind, &name) {
            spec = spec.user(user);
            names.insert(kind.clone(), name);
        }
    }
    (spec.group(group), names)
}

#[tokio::test]
async fn who_may_reset_whom_is_known_beforehand_and_decided_as_the_reference_says() {
    let Some(folder) = reference() else {
        return;
    };
    let file = read(folder.join("reset_matrix.json"));
    let matrix: BTreeMap<String, Row> = serde_json::from_value(file["targets"].clone()).unwrap();
    let actors: Vec<String> = serde_json::from_value(file["actors"].clone()).unwrap();
    assert_eq!((actors.len(), matrix.len()), (6, 18));
    for actor in actors {
        let (spec, names) = tenant_of(&actor, &matrix);
        assert_eq!(names.len(), 17);
        let tenant = serving(spec).await;
        let token = tenant.token(APP).await;
        let known = rights(&tenant).await;
        for (kind, name) in names {
            let may = matrix[&kind][&actor];
            let id = ObjectId(tenant.simulator.user_id(TENANT, &name).unwrap());
            assert_eq!(known.lacking(id).is_none(), may, "{actor} knows of {kind}");
            let answer = tenant.set_password(&token, id.0, profile("Second-Passw0rd"));
            let status = answer.await.status();
            assert_eq!(status == 204, may, "{actor} resets {kind}: {status}");
        }
    }
}

async fn rights(tenant: &Tenant) -> sync_engine::model::ResetRights {
    let base: reqwest::Url = tenant.base.parse().unwrap();
    let secret = AppCredential::ClientSecret(SECRET.into());
    let tenant_id = TenantId(TENANT.to_owned());
    let mut config = TenantConfig::new(tenant_id, APP.to_string(), secret);
    config.connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.clone())
        .with_graph(base);
    let directory = EntraDirectory::new(config).unwrap();
    directory.standing().await.unwrap().rights
}
