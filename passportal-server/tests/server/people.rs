//! People: invitations, changes, disabling, and what follows from it.

pub(crate) mod world;

use passportal_client::wire::{
    Client, Credential, FlagKind, FlaggedCredential, Invitation, InvitationLink, PersonRecord,
    Role, Standing,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::factor;
use crate::support::{EMAIL, ORGANIZATION_KEY, PASSWORD};
use world::{BEA, CHOSEN, World, accept};

#[tokio::test]
async fn whoever_is_invited_chooses_a_password_and_proves_the_organization_key() {
    let world = World::new().await;
    let manager = json!({ "role": "manager", "set_up_sync": true });
    let link = world.invite(manager).await;
    let mut browser = world.vault.browser();
    let page = browser.get(&link.path).await;
    assert!(
        page.status == 200 && page.html.contains("as Manager, for all clients."),
        "{}",
        page.html
    );

    let path = link.path.as_str();
    for (password, key, status, said) in [
        (
            "eleven char",
            ORGANIZATION_KEY,
            422,
            "at least 12 characters",
        ),
        (
            "bea@msp.example 1",
            ORGANIZATION_KEY,
            422,
            "contains the e-mail address",
        ),
        (CHOSEN, "another key", 401, "organization key is not right"),
    ] {
        let (got, html) = accept(&mut browser, path, password, key).await;
        assert_eq!(got, status, "{html}");
        assert!(html.contains(said) && !html.contains(password), "{html}");
    }
    let (status, html) = accept(&mut browser, path, CHOSEN, ORGANIZATION_KEY).await;
    assert!(
        status == 200 && html.contains("Your account is ready."),
        "{html}"
    );

    // Once.
    assert_eq!(browser.get(path).await.status, 404);
    let (status, _) = accept(&mut browser, path, "another password", ORGANIZATION_KEY).await;
    assert_eq!(status, 404);
    let people: Vec<PersonRecord> = world.admin.get("vault/people").await;
    let bea = people.iter().find(|it| it.email == BEA).unwrap();
    assert_eq!(bea.authority.role, Role::Manager);
    assert!(bea.authority.set_up_sync && bea.standing == Standing::Active);
    let audit = world.audit().await;
    for told in [
        format!("{EMAIL}: invited {BEA} as Manager for all clients"),
        format!("{BEA}: failed to accept an invitation: wrong organization key"),
        format!("{BEA}: accepted the invitation of {EMAIL}"),
    ] {
        assert!(audit.contains(&told), "{audit:#?}");
    }
}

#[tokio::test]
async fn an_invitation_is_over_when_it_is_withdrawn_replaced_or_old() {
    let world = World::new().await;
    let mut browser = world.vault.browser();
    let technician = || json!({ "role": "technician" });
    let first = world.invite(technician()).await;
    let second = world.invite(technician()).await;
    assert_eq!(browser.get(&first.path).await.status, 404, "replaced");
    let waiting: Vec<Invitation> = world.admin.get("vault/people/invitations").await;
    assert_eq!(waiting.len(), 1);

    let path = format!("vault/people/invitations/{}", second.invitation.id);
    let _: Value = world.admin.delete(&path).await;
    assert_eq!(browser.get(&second.path).await.status, 404, "withdrawn");

    let third = world.invite(technician()).await;
    let mut database = world.vault.database().await;
    sqlx::query("UPDATE invitations SET expires = '2020-01-01T00:00:00.000000000Z'")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(browser.get(&third.path).await.status, 404, "old");
    let (status, _) = accept(&mut browser, &third.path, CHOSEN, ORGANIZATION_KEY).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_link_of_an_invitation_is_stored_nowhere() {
    let world = World::new().await;
    let link = world.invite(json!({ "role": "technician" })).await;
    let (_, token) = link.path.rsplit_once('/').unwrap();
    let dir = world.vault.stop().await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = bytes.windows(token.len()).any(|it| it == token.as_bytes());
        assert!(!found);
    }
}

#[tokio::test]
async fn disabling_ends_sessions_tokens_and_invitations_and_enabling_lets_in_again() {
    let world = World::new().await;
    let mut bea = world.bea(json!({ "role": "organization_admin" })).await;
    bea.log_in().await;
    let new = json!({ "email": "eve@msp.example", "role": "organization_admin" });
    let hers: InvitationLink = bea.api.post("vault/people/invitations", &new).await;

    world.change(&bea, json!({ "standing": "disabled" })).await;
    let away = bea.browser.get("/").await;
    assert_eq!(away.location.as_deref(), Some("/login"));
    let ended = bea
        .api
        .fails(Method::GET, "vault/clients", &json!({}))
        .await;
    assert_eq!(ended, (401, 1006));
    let mut eve = world.vault.browser();
    assert_eq!(eve.get(&hers.path).await.status, 404);
    let body = json!({ "email": BEA, "password": CHOSEN });
    let refused = world
        .vault
        .anyone()
        .fails(Method::POST, "auth/session", &body)
        .await;
    assert_eq!(refused, (401, 4001));

    world.change(&bea, json!({ "standing": "active" })).await;
    let ended = bea
        .api
        .fails(Method::GET, "vault/clients", &json!({}))
        .await;
    assert_eq!(ended, (401, 1006), "old tokens stay ended");
    let clients: Vec<Client> = world.sign_in().await.get("vault/clients").await;
    assert_eq!(clients.len(), 3);
}

#[tokio::test]
async fn the_last_active_organization_admin_stays() {
    let world = World::new().await;
    let own = world.own_path().await;
    for patch in [
        json!({ "role": "manager" }),
        json!({ "standing": "disabled" }),
    ] {
        let refused = world.admin.fails(Method::PATCH, &own, &patch).await;
        assert_eq!(refused, (422, 4022));
    }
    let bea = world.bea(json!({ "role": "organization_admin" })).await;
    world.change(&bea, json!({ "standing": "disabled" })).await;
    let refused = world
        .admin
        .fails(Method::PATCH, &own, &json!({ "role": "manager" }))
        .await;
    assert_eq!(refused, (422, 4022), "a disabled one does not count");
    world.change(&bea, json!({ "standing": "active" })).await;
    let _: PersonRecord = world.admin.patch(&own, &json!({ "role": "manager" })).await;
}

#[tokio::test]
async fn passwords_that_a_disabled_person_was_shown_are_flagged_until_they_change() {
    let world = World::new().await;
    let (admin, contoso) = (&world.admin, &world.contoso);
    let names = ["revealed", "fetched", "changed", "unseen"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(contoso.add(admin, name, "x").await);
    }
    let [revealed, fetched, changed, _] = ids[..] else {
        panic!("four")
    };
    let mut bea = world.bea(json!({ "role": "technician" })).await;
    bea.log_in().await;
    for id in [revealed, changed] {
        let page = format!("/clients/{}/credentials/{id}", contoso.id);
        let shown = bea
            .browser
            .submit(&page, &format!("{page}/reveal"), &[])
            .await;
        assert_eq!(shown.status, 200);
    }
    let path = format!("vault/credentials/{fetched}/secrets");
    let _: Value = bea.api.post(&path, &json!({})).await;
    // What she was shown of this one is not the password any more.
    let new = contoso.new_password(changed, "changed", 2, "y");
    let path = format!("vault/credentials/{changed}/password");
    let _: Credential = admin.put(&path, &new).await;

    world.change(&bea, json!({ "standing": "disabled" })).await;
    let flags: Vec<FlaggedCredential> = admin.get("vault/flags?kind=password_touched").await;
    let mut touched: Vec<&str> = flags.iter().map(|it| it.user_name.as_str()).collect();
    touched.sort_unstable();
    assert_eq!(touched, ["fetched", "revealed"]);
    assert!(flags[0].flag.why.contains(BEA), "{:?}", flags[0].flag);

    let new = contoso.new_password(revealed, "revealed", 2, "y");
    let path = format!("vault/credentials/{revealed}/password");
    let after: Credential = admin.put(&path, &new).await;
    assert!(!after.flags.contains_key(&FlagKind::PasswordTouched));
    let path = format!("vault/credentials/{fetched}/flags/password_touched");
    let _: Value = admin.delete(&path).await;
    let flags: Vec<FlaggedCredential> = admin.get("vault/flags").await;
    assert!(flags.is_empty(), "{flags:?}");
}

#[tokio::test]
async fn an_organization_admin_invites_and_changes_people_on_pages() {
    let world = World::new().await;
    let mut browser = world.vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let assigned = format!("client.{}", world.contoso.id);
    let fields = [
        ("email", "no address"),
        ("role", "manager"),
        ("access", "assigned"),
        (assigned.as_str(), "on"),
    ];
    let page = browser
        .submit("/people", "/people/invitations", &fields)
        .await;
    assert_eq!(page.status, 422);
    let kept = format!("name=\"{assigned}\" value=\"on\" checked");
    assert!(page.html.contains("value=\"no address\"") && page.html.contains(&kept));

    let fields = [&[("email", BEA)], &fields[1..]].concat();
    let page = browser
        .submit("/people", "/people/invitations", &fields)
        .await;
    let (_, rest) = page.html.split_once("id=\"invitation-link\">").unwrap();
    let path = rest.split_once('<').unwrap().0.to_owned();
    let again = browser.get("/people").await.html;
    assert!(!again.contains(&path) && again.contains(BEA), "shown once");

    let mut bea = world.vault.browser();
    let (status, html) = accept(&mut bea, &path, CHOSEN, ORGANIZATION_KEY).await;
    assert_eq!(status, 200, "{html}");
    let people: Vec<PersonRecord> = world.admin.get("vault/people").await;
    let her = people.iter().find(|it| it.email == BEA).unwrap();
    let page = format!("/people/{}", her.id);
    let fields = [
        ("role", "technician"),
        ("access", "all"),
        ("set_up_sync", "on"),
    ];
    let saved = browser.submit(&page, &page, &fields).await;
    assert!(saved.html.contains("Saved."), "{}", saved.html);
    let audit = world.audit().await;
    let told = format!(
        "{EMAIL}: changed the person {BEA}: set the role to Technician, \
         set the access to all clients, gave the permission \"Set up sync\""
    );
    assert!(audit.contains(&told), "{audit:#?}");

    let to = format!("{page}/standing");
    let disabled = browser
        .submit(&page, &to, &[("standing", "disabled")])
        .await;
    assert!(disabled.html.contains("The account is disabled"));
    let own = people.iter().find(|it| it.email == EMAIL).unwrap();
    let page = format!("/people/{}", own.id);
    let to = format!("{page}/standing");
    let refused = browser
        .submit(&page, &to, &[("standing", "disabled")])
        .await;
    assert!(refused.html.contains("last active Organization Admin"));
}

#[tokio::test]
async fn whoever_is_disabled_between_the_two_steps_of_signing_in_begins_anew_when_enabled() {
    let world = World::new().await;
    let mut admin = world.vault.signed_in().await;
    factor::set_up(&mut admin).await;
    let bea = world.bea(json!({ "role": "organization_admin" })).await;
    let own = world.own_path().await;
    let mut waiting = world.vault.browser();
    factor::first_step(&mut waiting).await;
    for standing in ["disabled", "active"] {
        let patch = json!({ "standing": standing });
        let _: PersonRecord = bea.api.patch(&own, &patch).await;
    }
    let away = waiting.get("/login/code").await;
    assert_eq!(away.location.as_deref(), Some("/login"));
    let generation: i64 = sqlx::query_scalar("SELECT generation FROM admins WHERE email = ?")
        .bind(EMAIL)
        .fetch_one(&mut world.vault.database().await)
        .await
        .unwrap();
    assert_eq!(generation, 1, "what began before is over in every process");
}
