//! Held plans in the dashboard, as a browser without JavaScript sees them.

use passportal_client::wire::PlanRuling;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

struct World {
    _vault: TestVault,
    person: Caller,
    agent: Caller,
    browser: Browser,
    client: Uuid,
    anna: Uuid,
}

async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso & Sons").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let heartbeat = json!({ "version": "0.1.0", "host": "host-1", "state": "running",
        "write_timeout_seconds": 0 });
    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    World {
        _vault: vault,
        person,
        agent,
        browser,
        client: client.id,
        anna,
    }
}

impl World {
    fn client(&self) -> String {
        format!("/clients/{}", self.client)
    }

    fn plan(&self, id: u128) -> String {
        format!("{}/plans/{}", self.client(), Uuid::from_u128(id))
    }

    /// Shows one plan with this many writes, in place of the one before.
    async fn show(&self, id: u128, writes: usize) {
        let write = |number| {
            json!({ "credential": self.anna, "user_name": format!("user{number:04}@<contoso>.com"),
                "version": 4, "mode": "enabled", "why": "because <it> changed",
                "object": Uuid::from_u128(0xB), "stamp": null })
        };
        let writes: Vec<_> = (0..writes).map(write).collect();
        let plan = json!({ "id": Uuid::from_u128(id), "at": "2025-01-01T10:20:00Z", "allowed": 7,
            "total": writes.len(), "writes": writes });
        let body = json!({ "plans": [plan] });
        let _: Value = self.agent.put("agent/plans", &body).await;
    }

    async fn rulings(&self) -> Vec<PlanRuling> {
        self.agent.changes("").await.rulings
    }

    async fn html(&mut self, path: &str) -> String {
        let page = self.browser.get(path).await;
        assert_eq!(page.status, 200, "{}", page.html);
        page.html
    }
}

#[tokio::test]
async fn what_waits_is_seen_from_every_page_that_leads_there() {
    let mut world = world().await;
    let (client, plan) = (world.client(), world.plan(1));
    let quiet = world.html("/").await;
    assert!(quiet.contains("id=\"count-approval\">0<") && !quiet.contains("for your approval"));

    world.show(1, 34).await;
    let link = format!("href=\"{plan}\"");
    let banner = "34 password changes wait for your approval.";
    for page in ["/", &client] {
        let html = world.html(page).await;
        assert!(html.contains(banner) && html.contains(&link), "{html}");
        assert!(html.contains("2025-01-01 10:20 UTC"));
    }
    assert!(world.html("/").await.contains("id=\"count-approval\">34<"));
    let clients = world.html("/clients").await;
    assert!(clients.contains("Approval <b>34</b>"), "{clients}");

    let credential = format!("{client}/credentials/{}", world.anna);
    assert!(
        !world.html(&credential).await.contains(&link),
        "another version"
    );
}

#[tokio::test]
async fn a_credential_leads_to_the_plan_that_its_write_is_part_of() {
    let mut world = world().await;
    let body = json!({ "plans": [{ "id": Uuid::from_u128(1), "at": "2025-01-01T10:20:00Z",
        "allowed": 7, "total": 1, "writes": [{ "credential": world.anna,
        "user_name": "anna@contoso.com", "version": 1, "mode": "enabled", "why": "because",
        "object": Uuid::from_u128(0xB) }] }] });
    let _: Value = world.agent.put("agent/plans", &body).await;
    let credential = format!("{}/credentials/{}", world.client(), world.anna);
    let html = world.html(&credential).await;
    let link = format!("href=\"{}\"", world.plan(1));
    assert!(
        html.contains(&link) && html.contains(&format!(", by {EMAIL}")),
        "{html}"
    );
}

#[tokio::test]
async fn the_plan_page_tells_every_write_and_its_reason() {
    let mut world = world().await;
    world.show(1, 2).await;
    let html = world.html(&world.plan(1)).await;
    let credential = format!("{}/credentials/{}", world.client(), world.anna);
    assert_eq!(html.matches(&format!("href=\"{credential}\"")).count(), 2);
    for told in [
        "user0000@&#60;contoso&#62;.com",
        "user0001@&#60;contoso&#62;.com",
        "because &#60;it&#62; changed",
        "It would have let 7 more pass.",
        "2025-01-01 10:20 UTC",
        "Contoso &#38; Sons",
        "Approve these 2 writes",
        "Reject these 2 writes",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    assert!(!html.contains("<script"));
}

#[tokio::test]
async fn approving_is_one_click_and_says_who_and_when() {
    let mut world = world().await;
    world.show(1, 34).await;
    let plan = world.plan(1);
    let approve = format!("{plan}/approve");
    let answer = world.browser.submit(&plan, &approve, &[]).await;
    let told = format!("Approved by <b>{EMAIL}</b> on <time");
    assert!(answer.html.contains(&told), "{}", answer.html);
    assert!(
        answer
            .html
            .contains("Approved. The agent makes exactly these writes.")
    );
    assert!(!answer.html.contains("id=\"approve\""), "no second word");
    let rulings = world.rulings().await;
    assert_eq!(rulings[0].plan, Uuid::from_u128(1));
    assert_eq!(json!(rulings[0].ruling), "approve");
    let client = world.client();
    assert!(!world.html(&client).await.contains("for your approval"));

    // From a page that another tab still shows.
    let csrf = world.browser.get("/").await.csrf();
    let late = world
        .browser
        .post(&format!("{plan}/reject"), &[("csrf", &csrf)])
        .await;
    assert_eq!(late.location.as_deref(), Some(plan.as_str()));
    let html = world.html(&plan).await;
    assert!(html.contains("approved this plan already"), "{html}");
    assert_eq!(json!(world.rulings().await[0].ruling), "approve");
}

#[tokio::test]
async fn rejecting_leaves_the_writes_undone() {
    let mut world = world().await;
    world.show(1, 3).await;
    let plan = world.plan(1);
    let reject = format!("{plan}/reject");
    let answer = world.browser.submit(&plan, &reject, &[]).await;
    assert!(answer.html.contains("None of these writes is made."));
    assert_eq!(json!(world.rulings().await[0].ruling), "reject");
}

#[tokio::test]
async fn a_plan_that_expired_says_so_and_leads_to_the_one_that_waits() {
    let mut world = world().await;
    world.show(1, 34).await;
    let (old, new) = (world.plan(1), world.plan(2));
    let csrf = world.browser.get(&old).await.csrf();
    world.show(2, 35).await;
    let approve = format!("{old}/approve");
    let late = world.browser.post(&approve, &[("csrf", &csrf)]).await;
    assert_eq!(late.location.as_deref(), Some(old.as_str()));
    let page = world.browser.get(&old).await;
    assert_eq!(page.status, 410);
    assert!(
        page.html
            .contains("The plan expired: the world has moved on")
    );
    assert!(page.html.contains("<h1>This plan expired</h1>"));
    assert!(
        page.html.contains(&format!("href=\"{new}\"")),
        "{}",
        page.html
    );
    assert!(page.html.contains("35 password changes wait"));
    assert!(world.rulings().await.is_empty());

    let _: Value = world
        .agent
        .put("agent/plans", &json!({ "plans": [] }))
        .await;
    let page = world.browser.get(&new).await;
    assert!(
        page.html.contains("waits for approval now."),
        "{}",
        page.html
    );
}

#[tokio::test]
async fn a_word_needs_the_sessions_own_form_and_the_right_client() {
    let mut world = world().await;
    world.show(1, 2).await;
    let other = TestClient::create(&world.person, "Fabrikam").await.id;
    let id = Uuid::from_u128(1);
    let elsewhere = format!("/clients/{other}/plans/{id}");
    assert_eq!(world.browser.get(&elsewhere).await.status, 404);
    let csrf = world.browser.get("/").await.csrf();
    for word in ["approve", "reject"] {
        let own = format!("{}/{word}", world.plan(1));
        let foreign = world.browser.post(&own, &[("csrf", "guessed")]).await;
        assert_eq!(foreign.status, 403);
        let elsewhere = format!("{elsewhere}/{word}");
        let answer = world.browser.post(&elsewhere, &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, 404);
    }
    let unknown = world.plan(9);
    assert_eq!(world.browser.get(&unknown).await.status, 404);
    assert!(world.rulings().await.is_empty());
}

#[tokio::test]
async fn a_long_plan_comes_in_pages() {
    let mut world = world().await;
    world.show(1, 1001).await;
    let plan = world.plan(1);
    let rows = |html: &str| html.matches("<th scope=\"row\">").count();
    let first = world.html(&plan).await;
    assert_eq!(rows(&first), 500);
    assert!(first.contains("Approve these 1001 writes") && first.contains("Page 1 of 3"));
    assert!(first.contains("?page=2") && !first.contains("rel=\"prev\""));
    let last = world.html(&format!("{plan}?page=3")).await;
    assert!(rows(&last) == 1 && last.contains("user1000@") && !last.contains("rel=\"next\""));
    for nonsense in ["0", "99", "x", "-1"] {
        let html = world.html(&format!("{plan}?page={nonsense}")).await;
        assert!(rows(&html) > 0, "{nonsense}");
    }
}

#[tokio::test]
async fn writes_that_are_too_many_to_list_are_not_passed_over() {
    let mut world = world().await;
    let plan = json!({ "id": Uuid::from_u128(1), "at": "2025-01-01T10:20:00Z", "allowed": 0,
        "total": 120_000, "writes": [] });
    let body = json!({ "plans": [plan] });
    let _: Value = world.agent.put("agent/plans", &body).await;
    let html = world.html(&world.plan(1)).await;
    assert!(html.contains("120000 of the 120000 writes are too many to be listed here."));
    assert!(html.contains("Approve these 120000 writes"));
}
