//! `passportal approve` and `passportal reject`: a person's word about a held plan.

use agent_bin::control::{Told, Want};
use sync_engine::plan::Ruling;

use super::plans::{Found, all, one};
use crate::arguments::{Global, RuleOptions};
use crate::desk::{Desk, answer_of, told};
use crate::ending::Ending;
use crate::output::{Output, PlanLine, RuledPlan};

pub(super) async fn run(
    options: &RuleOptions,
    ruling: Ruling,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let desk = Desk::open(&super::load_config(global)?).await?;
    let is_service = desk.is_service();
    let ruled = rule(&desk, options, ruling).await;
    desk.close().await;
    let Found { client, plan, .. } = ruled?;
    output.show(&RuledPlan {
        plan: PlanLine::of(&client, &plan),
    })?;
    output.note(match (ruling, is_service) {
        (Ruling::Approve, true) => "the service makes exactly these writes now",
        (Ruling::Approve, false) => {
            "next: `passportal sync --once`, or the service once it runs, makes exactly these writes; the approval is good for 24 hours"
        }
        (Ruling::Reject, _) => {
            "its writes stay held until the password or the account changes, or a person confirms a credential in the vault"
        }
    });
    Ok(Ending::Done)
}

async fn rule(desk: &Desk, options: &RuleOptions, ruling: Ruling) -> anyhow::Result<Found> {
    let named = one(all(desk, None).await?, &options.plan)?;
    let plan = named.plan.id;
    let id = named.client_id;
    // By id: two clients may have one name.
    let answers = desk
        .ask(Some(&id.to_string()), Want::Rule { plan, ruling })
        .await?;
    let (client, ruled) = told(answer_of(answers, id)?, |told| match told {
        Told::Ruled(plan) => Some(plan),
        _ => None,
    });
    Ok(Found {
        client_id: id,
        client,
        plan: ruled?,
    })
}
