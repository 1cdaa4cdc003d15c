//! What plan and sync have in common: how the cycles of their clients are shown, and how a failed one is told.

use agent_bin::control::{ClientAnswer, Fault, Told};
use sync_engine::CycleReport;

use crate::arguments::CycleOptions;
use crate::desk::told;
use crate::ending::Ending;
use crate::failure;
use crate::output::{ClientCycle, Cycles, Output};

/// The cycles so far, and the first failure.
#[derive(Default)]
pub(super) struct Findings {
    cycles: Cycles,
    failure: Option<anyhow::Error>,
}

impl Findings {
    pub(super) fn of(answers: Vec<ClientAnswer>) -> Self {
        let mut findings = Self::default();
        for answer in answers {
            let (client, cycle) = told(answer, |told| match told {
                Told::Cycle(report) => Some(report),
                _ => None,
            });
            findings.add(&client, cycle);
        }
        findings
    }

    fn add(&mut self, client: &str, result: Result<CycleReport, Fault>) {
        let line = client_cycle(client, result, &mut self.failure);
        self.cycles.clients.push(line);
    }

    /// Shows the cycles; a failure of any client is the command's.
    pub(super) fn show(self, options: &CycleOptions, output: &Output) -> anyhow::Result<Ending> {
        if self.cycles.clients.iter().any(|it| it.cycle.is_some()) {
            output.show(&self.cycles)?;
        }
        match self.failure {
            Some(failure) => Err(failure),
            None if options.exit_code => Ok(self.cycles.ending()),
            None => Ok(Ending::Done),
        }
    }
}

/// One client's line; a failure is kept if it is the first.
pub(super) fn client_cycle(
    client: &str,
    result: Result<CycleReport, Fault>,
    first_failure: &mut Option<anyhow::Error>,
) -> ClientCycle {
    let (cycle, error) = match result {
        Ok(report) => (Some(report), None),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("client `{client}`"));
            let told = failure::Told::of(&error).error;
            first_failure.get_or_insert(error);
            (None, Some(told))
        }
    };
    ClientCycle {
        client: client.to_owned(),
        cycle,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_engine::ports::VaultError;

    #[test]
    fn the_first_failure_is_the_commands_and_each_is_told_at_its_client() {
        let mut findings = Findings::default();
        for (client, why) in [("Contoso", "refused"), ("Fabrikam", "gone")] {
            let error = VaultError::NotAuthorised(why.into());
            findings.add(client, Err(Fault::of(&error)));
        }
        let failure = findings.failure.as_ref().unwrap();
        assert_eq!(Ending::of_error(failure), Ending::NotAuthorised);
        assert!(failure.to_string().contains("Contoso"));
        let second = findings.cycles.clients[1].error.as_deref().unwrap();
        assert!(second.ends_with("gone"), "{second}");
    }
}
