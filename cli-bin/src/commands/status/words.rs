//! A status in words: four lines, and a table of the clients.

use agent_bin::control::{Cycles, Reach, Remembered};
use sync_engine::model::FlagKind;

use super::{ClientStatus, Service, State, Status};
use crate::output::{Paint, Sheet, Shown, Tone, one_line, time};

impl Shown for Status {
    fn text(&self, paint: Paint) -> String {
        let (service, service_tone) = self.service.words();
        let (state, state_tone) = self.state.words();
        let heads = [
            format!("configuration  {}", self.configuration.display()),
            format!("vault          {}", self.vault),
            format!("service        {}", paint.tone(service_tone, &service)),
            format!("state          {}", paint.tone(state_tone, &state)),
        ];
        let failures: String = self.failures().collect();
        let clients = self.clients_text(paint);
        format!("{}\n\n{clients}{failures}", heads.join("\n"))
    }
}

impl Status {
    fn clients_text(&self, paint: Paint) -> String {
        let headings = [
            "client",
            "tenant",
            "vault",
            "last good cycle",
            "flags",
            "held plan",
            "last step",
        ];
        let mut sheet = Sheet::new(paint, &headings);
        for client in &self.clients {
            let (vault, tone) = client.vault_words();
            let memory = client.memory.as_ref();
            sheet.row([
                (client.client.clone(), Tone::Normal),
                (client.tenant.clone(), Tone::Normal),
                (vault, tone),
                client.cycle_words(),
                (memory.map_or_else(unknown, flag_words), Tone::Bad),
                (memory.map_or_else(unknown, held_words), Tone::Attention),
                (memory.map_or_else(unknown, step_words), Tone::Normal),
            ]);
        }
        sheet.text_or("no client is configured: `passportal setup` enrols one")
    }

    fn failures(&self) -> impl Iterator<Item = String> {
        self.clients.iter().flat_map(|client| {
            let name = one_line(&client.client);
            let failures = client.failures().into_iter();
            failures.map(move |why| format!("\n{name}: {}", one_line(&why)))
        })
    }
}

fn unknown() -> String {
    "–".to_owned()
}

impl Service {
    fn words(&self) -> (String, Tone) {
        match self {
            Self::Ready => ("running and ready".to_owned(), Tone::Good),
            Self::NotReady { why } => (format!("running, not ready: {why}"), Tone::Bad),
            Self::NoAnswer { address } => (format!("no answer at {address}"), Tone::Attention),
        }
    }
}

impl State {
    fn words(&self) -> (String, Tone) {
        match self {
            Self::Open => ("readable: no agent runs".to_owned(), Tone::Attention),
            Self::Served => ("told by the running service".to_owned(), Tone::Good),
            Self::InUse { why } => (format!("not shown: {}", one_line(why)), Tone::Attention),
            Self::Silent { why } => (format!("silent: {}", one_line(why)), Tone::Bad),
            Self::Unusable { why } => (one_line(why), Tone::Bad),
            Self::NotOpened => (
                "not opened, as long as a client is not enrolled".to_owned(),
                Tone::Attention,
            ),
        }
    }
}

impl ClientStatus {
    fn vault_words(&self) -> (String, Tone) {
        match (&self.vault, self.enrolled) {
            (None, true) if self.served == Some(false) => {
                ("not served by the agent".to_owned(), Tone::Bad)
            }
            (Some(Reach::Reachable { credentials }), _) => {
                (format!("reachable, {credentials} credentials"), Tone::Good)
            }
            (Some(Reach::Failing { .. }), _) => ("failing, see below".to_owned(), Tone::Bad),
            (None, true) => ("enrolled".to_owned(), Tone::Normal),
            (None, false) => ("not enrolled".to_owned(), Tone::Bad),
        }
    }

    fn cycle_words(&self) -> (String, Tone) {
        let Some(cycles) = &self.cycles else {
            return (unknown(), Tone::Normal);
        };
        let last = cycles.last_good.map(time);
        match (last, cycles.overdue) {
            (Some(last), false) => (last, Tone::Good),
            (None, false) => ("none yet".to_owned(), Tone::Attention),
            (Some(last), true) => (format!("silent since {last}"), Tone::Bad),
            (None, true) => ("silent from its start".to_owned(), Tone::Bad),
        }
    }

    /// What keeps it from being in step.
    fn failures(&self) -> Vec<String> {
        let vault = match &self.vault {
            Some(Reach::Failing { why }) => Some(why.clone()),
            _ => None,
        };
        let overdue = self
            .cycles
            .as_ref()
            .filter(|it| it.overdue)
            .map(overdue_words);
        vault.into_iter().chain(overdue).collect()
    }
}

fn overdue_words(cycles: &Cycles) -> String {
    let why = cycles.failed.as_deref();
    let why = why.unwrap_or("its cycle goes on, or waits");
    format!("no good cycle for more than two intervals: {why}")
}

fn flag_words(memory: &Remembered) -> String {
    let name = |kind| match kind {
        FlagKind::AdChange => "AD change",
        FlagKind::Held => "Held",
        FlagKind::Blocked => "Blocked",
    };
    let flags: Vec<String> = memory
        .flags
        .iter()
        .map(|(kind, count)| format!("{count} {}", name(*kind)))
        .collect();
    flags.join(", ")
}

fn held_words(memory: &Remembered) -> String {
    let held = memory.held_plan.as_ref();
    held.map(|plan| {
        format!(
            "{} of {} writes, since {}",
            plan.id,
            plan.writes,
            time(plan.at)
        )
    })
    .unwrap_or_default()
}

fn step_words(memory: &Remembered) -> String {
    memory.last_step.map_or_else(|| "none yet".to_owned(), time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_bin::control::Waiting;
    use jiff::Timestamp;
    use std::collections::BTreeMap;
    use sync_engine::model::PlanId;
    use uuid::Uuid;

    fn status(service: Service, state: State, clients: Vec<ClientStatus>) -> Status {
        Status {
            configuration: "/etc/passportal-agent/config.toml".into(),
            vault: "https://vault.example/".into(),
            service,
            state,
            clients,
        }
    }

    fn client(name: &str) -> ClientStatus {
        ClientStatus {
            id: None,
            client: name.into(),
            tenant: "contoso.onmicrosoft.com".into(),
            enrolled: true,
            served: None,
            cycles: None,
            vault: None,
            memory: None,
        }
    }

    fn no_answer() -> Service {
        Service::NoAnswer {
            address: ([127, 0, 0, 1], 9464).into(),
        }
    }

    #[test]
    fn the_status_of_an_agent_is_as_reviewed() {
        let contoso = ClientStatus {
            vault: Some(Reach::Reachable { credentials: 12 }),
            memory: Some(Remembered {
                credentials: 12,
                flags: BTreeMap::from([(FlagKind::AdChange, 2), (FlagKind::Blocked, 4)]),
                unsent_reports: 0,
                last_step: Some(Timestamp::UNIX_EPOCH),
                held_plan: Some(Waiting {
                    id: PlanId(Uuid::from_u128(7)),
                    at: Timestamp::UNIX_EPOCH,
                    writes: 31,
                }),
            }),
            ..client("Contoso")
        };
        let failing = ClientStatus {
            vault: Some(Reach::Failing {
                why: "the vault is not available".into(),
            }),
            ..client("Fabrikam")
        };
        let clients = vec![contoso, failing];
        insta::assert_snapshot!(status(no_answer(), State::Open, clients).text(Paint::Plain));
    }

    fn served(
        name: &str,
        last_good: Option<i64>,
        overdue: bool,
        failed: Option<&str>,
    ) -> ClientStatus {
        ClientStatus {
            served: Some(true),
            vault: Some(Reach::Reachable { credentials: 1 }),
            cycles: Some(Cycles {
                last_good: last_good.map(|at| Timestamp::from_second(at).unwrap()),
                overdue,
                failed: failed.map(str::to_owned),
            }),
            ..client(name)
        }
    }

    #[test]
    fn a_client_that_is_silent_or_not_served_is_as_reviewed() {
        let not_served = ClientStatus {
            served: Some(false),
            ..client("Tailspin")
        };
        let clients = vec![
            served("Contoso", Some(90), false, None),
            served(
                "Fabrikam",
                Some(0),
                true,
                Some("the tenant\ndoes not answer"),
            ),
            served("Northwind", None, true, None),
            served("Adatum", None, false, None),
            not_served,
        ];
        let status = status(Service::Ready, State::Served, clients);
        insta::assert_snapshot!(status.text(Paint::Plain));
        insta::assert_json_snapshot!(status.clients);
    }

    #[test]
    fn a_silent_agents_status_is_as_reviewed() {
        let why = "the agent on the local socket /var/lib/passportal-agent/state.sock could not be asked: timed out";
        let silent = State::Silent { why: why.into() };
        let status = status(no_answer(), silent, vec![client("Contoso")]);
        insta::assert_snapshot!(status.text(Paint::Plain));
    }

    #[test]
    fn a_running_agents_status_is_as_reviewed() {
        let why = "the state file /var/lib/passportal-agent/state.db is in use by another process";
        let in_use = State::InUse { why: why.into() };
        let not_ready = Service::NotReady {
            why: "no successful cycle yet".into(),
        };
        insta::assert_snapshot!(
            status(not_ready, in_use, vec![client("Contoso")]).text(Paint::Plain)
        );
    }
}
