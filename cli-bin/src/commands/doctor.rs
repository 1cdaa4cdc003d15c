//! `passportal doctor`: checks the set-up from end to end, and names each fault with its remedy.

use agent_bin::config::{ClientConfig, Config};
use agent_bin::doctor::{self, Check, Checked, Examined};
use serde::Serialize;

use crate::arguments::{DoctorOptions, Global};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, Paint, Sheet, Shown, Tone, one_line};

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    clients: Vec<Examined>,
}

pub(super) async fn run(
    options: &DoctorOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let config = super::load_config(global)?;
    let mut clients = Vec::new();
    for client in meant(&config, options.client.as_deref())? {
        clients.push(doctor::examine(&config, client).await);
    }
    let findings = Findings { clients };
    output.show(&findings)?;
    Ok(findings.ending())
}

/// All clients, or the one of this name.
fn meant<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<Vec<&'a ClientConfig>> {
    let clients = config.require_clients()?;
    let Some(name) = name else {
        return Ok(clients.iter().collect());
    };
    let found: Vec<_> = clients
        .iter()
        .filter(|client| client.name.eq_ignore_ascii_case(name))
        .collect();
    if found.is_empty() {
        let names: Vec<&str> = clients.iter().map(|it| it.name.as_str()).collect();
        let what = format!("the configuration has no client `{name}`");
        return Err(Refusal::new(what, format!("it has: {}", names.join(", "))).into());
    }
    Ok(found)
}

impl Findings {
    fn ending(&self) -> Ending {
        if self.clients.iter().any(Examined::has_fault) {
            Ending::Failed
        } else {
            Ending::Done
        }
    }
}

impl Shown for Findings {
    fn text(&self, paint: Paint) -> String {
        let texts: Vec<String> = self.clients.iter().map(|it| client(it, paint)).collect();
        texts.join("\n\n")
    }
}

fn client(examined: &Examined, paint: Paint) -> String {
    let title = format!("{}: {}", examined.client, examined.tenant);
    let mut sheet = Sheet::new(paint, &["check", "", "found"]).unbroken(&[0, 1]);
    for check in &examined.checks {
        let (word, tone, found) = words(check);
        sheet.row([
            (check.name, Tone::Normal),
            (word, tone),
            (found, Tone::Normal),
        ]);
        if let Some(remedy) = remedy(check) {
            let remedy = format!("→ {remedy}");
            sheet.row([("", Tone::Normal), ("", tone), (&remedy, Tone::Faint)]);
        }
    }
    let title = paint.tone(Tone::Strong, &one_line(&title));
    format!("{title}\n{}", sheet.text_or("nothing was checked"))
}

fn words(check: &Check) -> (&'static str, Tone, &str) {
    match &check.result {
        Checked::Fine { detail } => ("ok", Tone::Good, detail),
        Checked::Note { note, .. } => ("note", Tone::Attention, note),
        Checked::Fault { fault, .. } => ("fault", Tone::Bad, fault),
        Checked::Skipped { because } => ("skipped", Tone::Faint, because),
    }
}

fn remedy(check: &Check) -> Option<&str> {
    match &check.result {
        Checked::Note { remedy, .. } | Checked::Fault { remedy, .. } => Some(remedy),
        Checked::Fine { .. } | Checked::Skipped { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, result: Checked) -> Check {
        Check { name, result }
    }

    fn findings(checks: Vec<Check>) -> Findings {
        let examined = Examined {
            client: "Contoso".into(),
            tenant: "contoso.onmicrosoft.com".into(),
            checks,
        };
        Findings {
            clients: vec![examined],
        }
    }

    fn fine() -> Check {
        let detail = "12 passwords at https://vault.example/".into();
        check("vault", Checked::Fine { detail })
    }

    fn fault() -> Check {
        check(
            "roles",
            Checked::Fault {
                fault: "the agent has no directory role that resets passwords".into(),
                remedy: "assign the directory role User Administrator to the app".into(),
            },
        )
    }

    fn note() -> Check {
        check(
            "sign-in test",
            Checked::Note {
                note: "switched off in the configuration".into(),
                remedy: "set verification.enabled = true, if that is not meant".into(),
            },
        )
    }

    #[test]
    fn each_check_is_a_row_and_a_remedy_stands_below_its_fault() {
        let skipped = check(
            "accounts",
            Checked::Skipped {
                because: "the app lacks a permission".into(),
            },
        );
        let text = findings(vec![fine(), fault(), skipped, note()]).text(Paint::Plain);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn only_a_fault_ends_with_1() {
        assert_eq!(findings(vec![fine(), note()]).ending(), Ending::Done);
        assert_eq!(findings(vec![fine(), fault()]).ending(), Ending::Failed);
    }

    #[test]
    fn programs_get_the_name_the_result_and_the_remedy_of_each_check() {
        let json = serde_json::to_value(findings(vec![fault()])).unwrap();
        let check = &json["clients"][0]["checks"][0];
        assert_eq!(check["name"], "roles");
        assert_eq!(check["is"], "fault");
        assert!(
            check["remedy"]
                .as_str()
                .unwrap()
                .contains("User Administrator")
        );
    }
}
