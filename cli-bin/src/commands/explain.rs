//! `passportal explain`: what the engine knows of an account, which rule applies, and what happens next.

use agent_bin::control::{Told, Want};
use serde::Serialize;
use sync_engine::explain::Explanation;

use crate::arguments::{ExplainOptions, Global};
use crate::desk::{Desk, told};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, Paint, Shown, Tone, one_line};

/// What there is to say of an account.
#[derive(Debug, Serialize)]
struct Explanations {
    explanations: Vec<ClientExplanation>,
}

/// What one client says of it.
#[derive(Debug, Serialize)]
struct ClientExplanation {
    client: String,
    #[serde(flatten)]
    explanation: Explanation,
}

impl Shown for Explanations {
    fn text(&self, paint: Paint) -> String {
        let texts: Vec<String> = self.explanations.iter().map(|it| it.text(paint)).collect();
        texts.join("\n\n")
    }
}

impl Shown for ClientExplanation {
    fn text(&self, paint: Paint) -> String {
        let headline = one_line(&self.explanation.headline());
        let client = one_line(&self.client);
        let mut lines = vec![paint.tone(Tone::Strong, &format!("{client}: {headline}"))];
        for section in self.explanation.sections() {
            lines.push(String::new());
            lines.push(paint.tone(Tone::Strong, &one_line(section.title)));
            lines.extend(
                section
                    .lines
                    .iter()
                    .map(|line| format!("  {}", one_line(line))),
            );
        }
        lines.join("\n")
    }
}

pub(super) async fn run(
    options: &ExplainOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let desk = Desk::open(&super::load_config(global)?).await?;
    let account = options.account.clone();
    let answers = desk.ask(options.client.as_deref(), Want::Explain { account });
    let answers = answers.await;
    desk.close().await;
    let mut explanations = Vec::new();
    for answer in answers? {
        let (client, explained) = told(answer, |told| match told {
            Told::Explained(explained) => Some(explained),
            _ => None,
        });
        let explained = explained.map_err(|fault| fault.at_client(&client))?;
        explanations.extend(explained.into_iter().map(|explanation| ClientExplanation {
            client: client.clone(),
            explanation,
        }));
    }
    if explanations.is_empty() {
        let what = format!(
            "no client of this agent has a credential for {}",
            options.account
        );
        return Err(Refusal::new(
            what,
            "`passportal plan` shows the accounts of all credentials",
        )
        .into());
    }
    output.show(&Explanations { explanations })?;
    Ok(Ending::Done)
}
