//! Reads of users, domains and the organization.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};

use crate::support::{Answer, READER, RIGHT, Sim, TENANT, password_form, tenant_with_users};

#[tokio::test]
async fn only_selected_properties_are_present() {
    let sim = Sim::start();
    let answer = sim
        .get("users/anna@contoso.com?$select=id,onPremisesSyncEnabled,lastPasswordChangeDateTime")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut names: Vec<_> = answer
        .body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "@odata.context",
            "id",
            "lastPasswordChangeDateTime",
            "onPremisesSyncEnabled"
        ]
    );
    assert!(answer.body["onPremisesSyncEnabled"].is_null());
    assert_eq!(
        answer.body["lastPasswordChangeDateTime"],
        "2025-01-01T00:00:00Z"
    );
}

#[tokio::test]
async fn without_a_selection_the_documented_defaults_come_and_no_stamp() {
    let sim = Sim::start();
    let answer = sim.get("users/anna@contoso.com").await;
    assert_eq!(answer.body["userPrincipalName"], "anna@contoso.com");
    assert!(answer.body.get("lastPasswordChangeDateTime").is_none());
    assert!(answer.body.get("accountEnabled").is_none());
}

#[tokio::test]
async fn an_unknown_property_or_option_is_refused() {
    let sim = Sim::start();
    assert_eq!(
        sim.get("users?$select=passwrod").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        sim.get("users?$orderby=id").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        sim.get("users?$top=1000").await.graph_code(),
        "Request_UnsupportedQuery"
    );
}

#[tokio::test]
async fn paging_visits_every_account_once() {
    let sim = Sim::of(tenant_with_users(25));
    let mut names = Vec::new();
    let mut answer = sim.get("users?$select=userPrincipalName&$top=10").await;
    loop {
        names.extend(answer.names().into_iter().map(str::to_owned));
        let Some(link) = answer.body.get("@odata.nextLink").cloned() else {
            break;
        };
        answer = sim.follow(&link).await;
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 25);
}

#[tokio::test]
async fn a_filter_finds_by_name_in_any_case_and_by_id() {
    let sim = Sim::start();
    let by_name = sim
        .get("users?$filter=userPrincipalName eq 'ANNA@contoso.com'&$select=id,userPrincipalName")
        .await;
    assert_eq!(by_name.names(), ["anna@contoso.com"]);
    let id = by_name.body["value"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        id,
        sim.simulator
            .user_id(TENANT, "anna@contoso.com")
            .unwrap()
            .to_string()
    );
    assert_eq!(
        sim.get(&format!("users?$filter=id eq '{id}'"))
            .await
            .names(),
        ["anna@contoso.com"]
    );
    assert!(
        sim.get("users?$filter=userPrincipalName eq 'nobody@contoso.com'")
            .await
            .names()
            .is_empty()
    );
}

#[tokio::test]
async fn an_absent_account_is_not_found() {
    let sim = Sim::start();
    let answer = sim.get("users/nobody@contoso.com").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.graph_code(), "Request_ResourceNotFound");
    let error = &answer.body["error"]["innerError"];
    assert_eq!(error["request-id"], answer.header("request-id"));
}

#[tokio::test]
async fn domains_tell_managed_from_federated() {
    let sim = Sim::start();
    let answer = sim.get("domains").await;
    let domains = answer.body["value"].as_array().unwrap();
    let kind = |name: &str| {
        let found = domains.iter().find(|domain| domain["id"] == name).unwrap();
        (
            found["authenticationType"].as_str().unwrap(),
            found["isInitial"].as_bool().unwrap(),
        )
    };
    assert_eq!(kind(TENANT), ("Managed", true));
    assert_eq!(kind("contoso.com"), ("Managed", false));
    assert_eq!(kind("federated.example"), ("Federated", false));
    assert_eq!(
        sim.get("domains/nowhere.example").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        sim.get("organization").await.body["value"][0]["verifiedDomains"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn a_read_without_its_permission_is_forbidden() {
    let sim = Sim::start();
    let url = format!("{}/v1.0/domains", sim.url);
    let request = sim.http.get(url).bearer_auth(sim.token_of(READER).await);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.graph_code(), "Authorization_RequestDenied");
}

#[tokio::test]
async fn a_users_token_acts_with_its_clients_permissions() {
    let sim = Sim::start();
    let token = sim
        .token_request(TENANT, &password_form("anna@contoso.com", RIGHT))
        .await
        .body["access_token"]
        .clone();
    let url = format!("{}/v1.0/users", sim.url);
    let request = sim.http.get(url).bearer_auth(token.as_str().unwrap());
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn the_date_header_follows_the_simulated_clock() {
    let sim = Sim::with_clock(crate::support::contoso(), SignedDuration::from_hours(-1));
    let before = Timestamp::now() - SignedDuration::from_mins(61);
    let answer = sim.get("users").await;
    let date = parsed_date(answer.header("date"));
    assert!(
        date > before && date < Timestamp::now() - SignedDuration::from_mins(59),
        "{date}"
    );
}

fn parsed_date(text: &str) -> Timestamp {
    jiff::fmt::rfc2822::parse(text).unwrap().timestamp()
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_with_graphs_envelope() {
    let sim = Sim::start();
    assert_eq!(
        sim.get("nothing/here").await.status,
        StatusCode::BAD_REQUEST
    );
    let delete = sim
        .graph(Method::DELETE, "users/anna@contoso.com")
        .await
        .send()
        .await
        .unwrap();
    assert_eq!(delete.status(), StatusCode::METHOD_NOT_ALLOWED);
    let elsewhere = sim
        .http
        .get(format!("{}/beta/users", sim.url))
        .send()
        .await
        .unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    assert!(Answer::of(elsewhere).await.body["error"]["code"].is_string());
}

#[tokio::test]
async fn ten_thousand_accounts_are_read_in_eleven_pages() {
    let sim = Sim::of(tenant_with_users(10_000));
    let mut answer = sim.get("users?$select=id&$top=999").await;
    let (mut pages, mut accounts) = (0, 0);
    loop {
        pages += 1;
        accounts += answer.body["value"].as_array().unwrap().len();
        let Some(link) = answer.body.get("@odata.nextLink").cloned() else {
            break;
        };
        answer = sim.follow(&link).await;
    }
    assert_eq!((pages, accounts), (11, 10_000));
}
