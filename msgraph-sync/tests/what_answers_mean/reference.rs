//! The golden files against a folder of reference facts, when `PASSPORTAL_REFERENCE` names one: each code
//! and each body of the reference goes over the wire, and must come to what the golden files say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sign_in::CODES;
use crate::write::{self, Failure};

const SIGN_INS: &str = include_str!("snapshots/what_answers_mean__sign_in__sign_in_codes.snap");
const WRITES: &str = include_str!("snapshots/what_answers_mean__write__write_failures.snap");

/// A file of the reference; `None`, and a word about it, when there is no reference.
fn reference<T: DeserializeOwned>(file: &str) -> Option<T> {
    let Some(folder) = std::env::var_os("PASSPORTAL_REFERENCE") else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("PASSPORTAL_REFERENCE is not set: {file} is not compared");
        }
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join(file)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

#[derive(Deserialize)]
struct Codes {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: u32,
    verdict: String,
}

#[test]
fn every_code_of_the_reference_stands_in_the_golden_file_with_its_verdict() {
    let Some(reference) = reference::<Codes>("aadsts.json") else {
        return;
    };
    assert_eq!(reference.codes.len(), CODES.len());
    for Code { code, verdict } in reference.codes {
        assert!(CODES.contains(&code), "{code} is not tested");
        let start = format!("{code}: ");
        let line = SIGN_INS.lines().find(|line| line.starts_with(&start));
        let golden = line.unwrap()[start.len()..].to_lowercase();
        assert!(golden.starts_with(&verdict), "{code}: {golden}");
    }
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

#[tokio::test]
async fn every_failure_of_the_reference_comes_to_what_the_golden_file_says() {
    let Some(reference) = reference::<BTreeMap<String, Answer>>("graph_errors.json") else {
        return;
    };
    assert_eq!(reference.len(), write::failures().len());
    for (name, answer) in reference {
        let failure = Failure {
            status: answer.status,
            headers: answer.headers.into_iter().collect(),
            body: answer.body,
        };
        let line = write::line(&name, &failure).await;
        assert!(WRITES.lines().any(|golden| golden == line), "{line}");
    }
}
