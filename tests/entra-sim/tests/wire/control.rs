//! The simulator's own endpoints.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{NEW, RIGHT, Sim, TENANT, profile};

#[tokio::test]
async fn a_password_can_be_set_compared_and_is_never_shown() {
    let sim = Sim::start();
    let user = format!("tenants/{TENANT}/users/anna@contoso.com");
    let check = async |password: &str| {
        sim.control(
            Method::POST,
            &format!("{user}/check"),
            json!({ "password": password }),
        )
        .await
        .body["matches"]
            .clone()
    };
    assert_eq!(check(RIGHT).await, true);
    let set = sim
        .control(
            Method::POST,
            &format!("{user}/password"),
            json!({ "password": NEW }),
        )
        .await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    assert_eq!(
        (check(RIGHT).await, check(NEW).await),
        (Value::Bool(false), Value::Bool(true))
    );
    let shown = sim.control(Method::GET, &user, Value::Null).await.body;
    assert!(shown["last_password_change"].is_string());
    assert!(!shown.to_string().contains(NEW));
    assert_eq!(
        sim.writes(),
        0,
        "a change in the directory is no write of a client"
    );
}

#[tokio::test]
async fn properties_of_accounts_and_tenants_can_be_changed() {
    let sim = Sim::start();
    let user = format!("tenants/{TENANT}/users/anna@contoso.com/patch");
    let change = json!({ "account_enabled": false });
    assert_eq!(
        sim.control(Method::POST, &user, change).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, Some(50_057));
    let tenant = format!("tenants/{TENANT}/patch");
    let change = json!({ "verification": "security_defaults" });
    assert_eq!(
        sim.control(Method::POST, &tenant, change).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, Some(530_035));
}

#[tokio::test]
async fn unknown_names_are_not_found_and_taken_ones_conflict() {
    let sim = Sim::start();
    let unknown = sim
        .control(
            Method::GET,
            &format!("tenants/{TENANT}/users/nobody@contoso.com"),
            Value::Null,
        )
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let taken = json!({ "user_principal_name": "anna@contoso.com" });
    let created = sim
        .control(
            Method::POST,
            &format!("tenants/{TENANT}/users"),
            taken.clone(),
        )
        .await;
    assert_eq!(created.status, StatusCode::CONFLICT);
    let renamed = sim
        .control(
            Method::POST,
            &format!("tenants/{TENANT}/users/mfa@contoso.com/patch"),
            taken,
        )
        .await;
    assert_eq!(renamed.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn counters_and_faults_work_from_another_process_and_count_no_control_request() {
    let sim = Sim::start();
    let fault =
        json!({ "path_prefix": "/v1.0/users", "status": 503, "count": 1, "retry_after": 1 });
    assert_eq!(
        sim.control(Method::POST, "faults", fault).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.get("users").await.graph_code(), "serviceNotAvailable");
    assert_eq!(sim.get("users").await.status, StatusCode::OK);
    let counters = sim.control(Method::GET, "counters", Value::Null).await.body;
    assert_eq!(
        (&counters["requests"], &counters["token_requests"]),
        (&4.into(), &2.into())
    );
    assert_eq!(
        (&counters["reads"], &counters["faults"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn a_delay_alone_leaves_the_usual_answer() {
    let sim = Sim::start();
    for when in ["before", "after"] {
        let fault = json!({ "path_prefix": "/v1.0/users", "delay": "1ms", "when": when });
        let armed = sim.control(Method::POST, "faults", fault).await;
        assert_eq!(armed.status, StatusCode::NO_CONTENT);
        assert_eq!(sim.get("users").await.status, StatusCode::OK);
    }
    let counters = sim.control(Method::GET, "counters", Value::Null).await.body;
    assert_eq!(counters["faults"], 2);
}

#[tokio::test]
async fn the_clock_can_be_moved() {
    let sim = Sim::start();
    let before = sim.simulator.now();
    let answer = sim
        .control(Method::POST, "clock", json!({ "advance": "2h" }))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(sim.simulator.now() >= before + jiff::SignedDuration::from_hours(2));
}

#[tokio::test]
async fn the_diary_tells_of_writes_changes_and_sign_ins_without_a_password() {
    let sim = Sim::start();
    let user = "anna@contoso.com";
    assert_eq!(sim.sign_in(user, NEW).await, Some(50_126));
    for _ in 0..2 {
        sim.set_password(user, NEW).await;
    }
    let password = format!("tenants/{TENANT}/users/{user}/password");
    let body = json!({ "password": RIGHT });
    sim.control(Method::POST, &password, body).await;
    assert_eq!(sim.sign_in(user, RIGHT).await, None);

    let path = format!("tenants/{TENANT}/diary");
    let diary = sim.control(Method::GET, &path, Value::Null).await.body;
    assert!(![NEW, RIGHT].iter().any(|it| diary.to_string().contains(it)));
    let lines = diary["lines"].as_array().unwrap();
    let told = lines
        .iter()
        .map(|line| (&line["what"], &line["had_it"], &line["code"]));
    let expected = [
        (json!("sign_in"), Value::Null, json!(50_126)),
        (json!("write"), json!(false), Value::Null),
        (json!("write"), json!(true), Value::Null),
        (json!("change"), json!(false), Value::Null),
        (json!("sign_in"), Value::Null, Value::Null),
    ];
    assert!(
        told.eq(expected
            .iter()
            .map(|(what, had_it, code)| (what, had_it, code)))
    );
    let passwords: Vec<_> = lines.iter().map(|line| &line["password"]).collect();
    assert_eq!(passwords[0], passwords[1]);
    assert_eq!(passwords[3], passwords[4]);
    assert_ne!(passwords[1], passwords[3]);
}

#[tokio::test]
async fn a_held_write_has_its_effect_also_when_its_sender_goes_away() {
    let sim = Sim::start();
    let fault = json!({ "path_prefix": "/v1.0/users", "method": "PATCH", "delay": "200ms" });
    sim.control(Method::POST, "faults", fault).await;
    let write = sim
        .graph(Method::PATCH, "users/anna@contoso.com")
        .await
        .json(&profile(NEW));
    let write = tokio::spawn(write.send());
    while sim.simulator.counters().faults == 0 {
        tokio::task::yield_now().await;
    }
    write.abort();
    assert_eq!(
        sim.writes(),
        0,
        "the effect came before the sender went away"
    );
    while sim.writes() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(
        sim.simulator
            .password_matches(TENANT, "anna@contoso.com", NEW)
            .unwrap()
    );
}
