//! Sign-in tests, by the code that the token endpoint answers with.

use serde_json::json;
use sync_engine::model::SyncMode;
use wiremock::ResponseTemplate;

use crate::world::{World, told};

/// Source: Microsoft Entra authentication and authorization error codes (AADSTS).
pub(crate) const CODES: [u32; 69] = [
    50034, 50053, 50055, 50056, 50057, 50058, 50059, 50064, 50072, 50074, 50076, 50079, 50105,
    50125, 50126, 50128, 50131, 50132, 50133, 50135, 50144, 50158, 50173, 50196, 53000, 53001,
    53002, 53003, 53004, 53011, 65001, 65004, 70002, 70003, 80001, 80002, 80005, 80007, 80010,
    80012, 80014, 81010, 90002, 90019, 90024, 90033, 90055, 90072, 90094, 120_000, 120_002,
    120_003, 120_012, 120_018, 500_011, 500_121, 500_133, 530_032, 530_034, 530_035, 700_016,
    700_025, 700_027, 700_038, 7_000_112, 7_000_215, 7_000_218, 7_000_222, 9_001_023,
];

/// As the token endpoint writes it. The description speaks of another code, which nobody may read.
fn refusal(code: u32) -> ResponseTemplate {
    ResponseTemplate::new(400).set_body_json(json!({
        "error": "invalid_grant",
        "error_description": "AADSTS50076: a text that changes at any time",
        "error_codes": [code],
        "timestamp": "2026-02-03 04:05:06Z",
        "trace_id": "33333333-3333-3333-3333-333333333333",
        "correlation_id": "44444444-4444-4444-4444-444444444444",
    }))
}

async fn first_contact(mode: SyncMode, code: u32) -> (World, String, String) {
    let mut world = World::new(mode).await;
    world.answer_sign_ins(refusal(code)).await;
    world.answer_writes(ResponseTemplate::new(204)).await;
    let row = world.cycle().await;
    assert_eq!(world.sign_ins().await, 1, "{code}");
    let verdict = format!("{:?}", row.tested.as_ref().unwrap());
    (world, verdict, told(&row))
}

/// One code: the verdict, and what comes of it in each mode.
pub(crate) async fn line(code: u32) -> String {
    let (passive, verdict, reported) = first_contact(SyncMode::ReportMismatches, code).await;
    assert_eq!(passive.writes().await, 0, "{code}");
    let (active, _, enabled) = first_contact(SyncMode::Enabled, code).await;
    let written = match active.writes().await {
        0 => "nothing is written",
        _ => "the vault's password is written",
    };
    let counted = if passive.counted() {
        "may count towards a lockout"
    } else {
        "does not count"
    };
    format!(
        "{code}: {verdict}, {counted}\n  Report mismatches: {reported}\n  Enabled: {enabled}; {written}"
    )
}

#[tokio::test]
async fn each_sign_in_code() {
    let mut lines = Vec::new();
    for code in CODES {
        lines.push(line(code).await);
    }
    let unlisted = line(4_711).await;
    lines.push(unlisted.replace("4711:", "a code that is not listed:"));
    insta::assert_snapshot!("sign_in_codes", lines.join("\n"));
}
