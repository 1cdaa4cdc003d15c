//! `passportal plans`: the plans that wait for a person, and every write of one.

use agent_bin::control::{Fault, Told, Want};
use sync_engine::RulingError;
use sync_engine::model::ClientId;
use sync_engine::plan::HeldPlan;

use crate::arguments::{Global, PlanName, PlansOptions};
use crate::desk::{Desk, told};
use crate::ending::Ending;
use crate::output::{Output, PlanLine, Plans, WholePlan, short};

/// A plan and the client that it is of.
pub(super) struct Found {
    pub(super) client_id: ClientId,
    pub(super) client: String,
    pub(super) plan: HeldPlan,
}

pub(super) async fn run(
    options: &PlansOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let desk = Desk::open(&super::load_config(global)?).await?;
    let found = all(&desk, options.client.as_deref()).await;
    desk.close().await;
    let found = found?;
    match &options.plan {
        Some(name) => show_one(name, found, options, output),
        None => show_all(&found, options, output),
    }
}

fn show_all(found: &[Found], options: &PlansOptions, output: &Output) -> anyhow::Result<Ending> {
    let lines = found.iter().map(|it| PlanLine::of(&it.client, &it.plan));
    output.show(&Plans {
        plans: lines.collect(),
    })?;
    let waiting = found.iter().find(|it| it.plan.is_waiting());
    if let Some(Found { plan, .. }) = waiting {
        output.note(&format!(
            "`passportal plans {}` shows its writes",
            short(plan.id)
        ));
    }
    Ok(ending(waiting, options))
}

fn show_one(
    name: &PlanName,
    found: Vec<Found>,
    options: &PlansOptions,
    output: &Output,
) -> anyhow::Result<Ending> {
    let found = one(found, name)?;
    let ending = ending(Some(&found).filter(|it| it.plan.is_waiting()), options);
    if found.plan.is_waiting() {
        let short = short(found.plan.id);
        output.note(&format!(
            "`passportal approve {short}` lets exactly these writes pass, `passportal reject {short}` does not"
        ));
    }
    output.show(&WholePlan::new(&found.client, found.plan))?;
    Ok(ending)
}

fn ending(waiting: Option<&Found>, options: &PlansOptions) -> Ending {
    match waiting {
        Some(_) if options.exit_code => Ending::Held,
        _ => Ending::Done,
    }
}

/// The plans of all clients that are meant; a client that cannot tell its own fails the command.
pub(super) async fn all(desk: &Desk, client: Option<&str>) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for answer in desk.ask(client, Want::Plans).await? {
        let client_id = answer.id;
        let (client, plans) = told(answer, |told| match told {
            Told::Plans(plans) => Some(plans),
            _ => None,
        });
        let plans = plans.map_err(|fault| fault.at_client(&client))?;
        found.extend(plans.into_iter().map(|plan| Found {
            client_id,
            client: client.clone(),
            plan,
        }));
    }
    Ok(found)
}

/// The plan of this name. Where there is none, the one that waits now is told.
pub(super) fn one(found: Vec<Found>, name: &PlanName) -> Result<Found, Fault> {
    let waiting = found.iter().find(|it| it.plan.is_waiting());
    let waiting = waiting.map(|it| it.plan.id);
    let mut named: Vec<Found> = found
        .into_iter()
        .filter(|it| name.is_of(it.plan.id))
        .collect();
    match (named.len(), named.pop(), name.whole()) {
        (1, Some(found), _) => Ok(found),
        (_, None, Some(plan)) => Err(Fault::of_ruling(&RulingError::Expired { plan, waiting })),
        (_, None, None) => Err(Fault::new(
            format!("no plan {name}… waits: what it was made for may have changed since"),
            waiting.map_or_else(
                || "no plan waits now".to_owned(),
                |now| {
                    format!(
                        "plan {now} waits now; `passportal plans {}` shows it",
                        short(now)
                    )
                },
            ),
        )),
        (count, _, _) => Err(Fault::new(
            format!("there are {count} plans {name}…"),
            "write more of the id; `passportal plans` shows them",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use sync_engine::model::PlanId;
    use sync_engine::plan::PlanStanding;
    use uuid::Uuid;

    fn found() -> Vec<Found> {
        let of = |n: u128| Found {
            client_id: ClientId(Uuid::from_u128(1)),
            client: "Contoso".into(),
            plan: HeldPlan {
                id: PlanId(Uuid::from_u128(n << 96)),
                at: Timestamp::UNIX_EPOCH,
                allowed: 0,
                writes: Vec::new(),
                standing: PlanStanding::Waiting,
            },
        };
        vec![of(0x3f2a_9c1e), of(0x3f2a_0000)]
    }

    fn named(name: &str) -> Result<String, Fault> {
        let found = one(found(), &name.parse().unwrap());
        found.map(|found| short(found.plan.id))
    }

    #[test]
    fn a_plan_is_found_by_its_id_or_a_beginning_that_is_its_own() {
        assert_eq!(named("3F2A9").unwrap(), "3f2a9c1e");
        let whole = "3f2a0000-0000-0000-0000-000000000000";
        assert_eq!(named(whole).unwrap(), "3f2a0000");
        let fault = named("3f2a").unwrap_err();
        assert!(fault.to_string().contains("2 plans"), "{fault}");
    }

    #[test]
    fn a_plan_that_expired_leads_to_the_one_that_waits_now() {
        for gone in ["77", "77000000-0000-0000-0000-000000000000"] {
            let fault = named(gone).unwrap_err();
            assert!(fault.to_string().contains("no plan 77"), "{fault}");
            let hint = fault.hint().unwrap();
            assert!(
                hint.contains("3f2a9c1e") && hint.contains("waits now"),
                "{hint}"
            );
        }
    }
}
