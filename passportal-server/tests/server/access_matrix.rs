//! Every route of the server × everybody who may call × ids of one's own, of another client, and made up.
//!
//! The list of routes is the router's own, so a route without a request in `access_matrix/requests.rs` fails this test.

mod callers;
mod requests;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use passportal_client::wire::Role;
use reqwest::Method;
use tokio::task::JoinSet;

use crate::support::{TestVault, plain_http};
use callers::Who;
use requests::{Recipe, recipe};
use world::World;

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// What anybody may see: the way in, what it is made of, and the API's description.
const PUBLIC: [&str; 6] = [
    "GET /login",
    "GET /assets/style.css",
    "GET /assets/icon.svg",
    "GET /assets/reveal.js",
    "GET /api/documentation/v2",
    "GET /api/documentation/v2/swagger",
];

/// What is an Organization Admin's alone, by parts of paths.
const ADMINS_ALONE: [&str; 5] = [
    "/export",
    "/audit",
    "/people",
    "/notice",
    "/organization-key",
];

/// Routes that end the caller's session, and therefore come last.
const ENDS: [&str; 4] = [
    "DELETE /api/v2/account/sessions",
    "DELETE /api/v2/auth/session",
    "POST /account/sessions/end",
    "POST /logout",
];

/// What a route answered to one caller: with their own ids, another client's, made-up ones, and another client's below one's
/// own. Routes without ids have one answer.
type Answers = Vec<String>;

/// The answers of every route, in the order of the routes.
type Row = Vec<(String, Answers)>;

/// Each method that a path does not refuse as such is a route.
async fn routes() -> Vec<(Method, String)> {
    let vault = TestVault::start().await;
    let http = plain_http();
    let mut found = Vec::new();
    for path in passportal_server::paths() {
        for method in METHODS {
            let request = http.request(method.clone(), format!("{}{path}", vault.url));
            if request.send().await.unwrap().status() != 405 {
                found.push((method, path.clone()));
            }
        }
    }
    vault.stop().await;
    found.sort_by_key(|(method, path)| {
        let name = format!("{method} {path}");
        (ENDS.contains(&name.as_str()), path.clone(), name)
    });
    found
}

async fn row(who: Who, recipes: Vec<Recipe>) -> (Who, Row) {
    let mut world = World::new(who).await;
    let mut row = Vec::new();
    for recipe in recipes {
        if ENDS.contains(&recipe.name.as_str()) {
            world.sign_in_again().await;
        }
        let mut answers = Vec::new();
        for ids in world.each_ids(&recipe) {
            answers.push(world.ask(&recipe, &ids).await);
        }
        row.push((recipe.name, answers));
    }
    (who, row)
}

async fn matrix() -> BTreeMap<Who, Row> {
    let recipes: Vec<Recipe> = routes()
        .await
        .iter()
        .map(|(method, path)| recipe(method, path))
        .collect();
    let mut rows: JoinSet<(Who, Row)> = JoinSet::new();
    for who in Who::all() {
        rows.spawn(row(who, recipes.clone()));
    }
    rows.join_all().await.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everybody_as_it_should() {
    let matrix = matrix().await;
    for (who, row) in &matrix {
        for (route, answers) in row {
            check(*who, route, answers);
        }
    }
    let cells: usize = matrix.values().flatten().map(|(_, it)| it.len()).sum();
    println!("{cells} cells: routes × callers × ids");
    insta::assert_snapshot!(told(&matrix));
}

/// What has to hold whatever the snapshot says.
fn check(who: Who, route: &str, answers: &Answers) {
    let what = format!("{who:?} at {route}: {answers:?}");
    if who == Who::Nobody && !PUBLIC.contains(&route) {
        assert!(answers.iter().all(|it| !is_success(it)), "{what}");
    }
    if let [_, foreign, made_up, ..] = answers.as_slice()
        && !who.reaches_everything()
    {
        assert!(is_hidden(foreign), "{what}");
        assert_eq!(foreign, made_up, "{what}");
    }
    if let [_, _, _, mixed] = answers.as_slice() {
        assert!(is_hidden(mixed), "{what}");
    }
    let is_admins = ADMINS_ALONE.iter().any(|part| route.contains(part));
    if is_admins && who.role() != Some(Role::OrganizationAdmin) {
        assert!(answers.iter().all(|it| !is_success(it)), "{what}");
    }
}

fn is_hidden(answer: &str) -> bool {
    ["401", "403", "404", "login"].contains(&answer)
}

/// A page or a JSON answer, or the way back from a form that was taken.
fn is_success(answer: &str) -> bool {
    answer.starts_with('2') || answer == "303"
}

/// For each route its answers, and who got them.
fn told(matrix: &BTreeMap<Who, Row>) -> String {
    let mut routes: Vec<(&str, BTreeMap<String, Vec<Who>>)> = Vec::new();
    for (who, row) in matrix {
        for (place, (route, answers)) in row.iter().enumerate() {
            if routes.len() == place {
                routes.push((route, BTreeMap::new()));
            }
            let same = routes[place].1.entry(answers.join(" ")).or_default();
            same.push(*who);
        }
    }
    let mut text = String::new();
    for (route, answers) in routes {
        writeln!(text, "{route}").unwrap();
        for (answers, who) in answers {
            writeln!(text, "    {answers:<14} {}", callers::names(&who)).unwrap();
        }
    }
    text
}
