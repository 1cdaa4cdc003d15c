//! The tasks beside the clients' schedules, which all last as long as the agent.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Those that run.
#[derive(Debug, Default)]
pub(crate) struct Companions {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// One that is there no more, and how it went.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(crate) what: &'static str,
    pub(crate) why: Option<JoinError>,
}

impl Companions {
    /// One more.
    pub(crate) fn begin(
        &mut self,
        what: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.running.spawn(task).id();
        self.names.insert(id, what);
    }

    /// The next one that ends; `None` when none runs. Dropping the future loses nothing.
    pub(crate) async fn gone(&mut self) -> Option<Gone> {
        let (id, why) = match self.running.join_next_with_id().await? {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let what = self.names.remove(&id).unwrap_or_default();
        Some(Gone { what, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_ends_is_told_by_its_name_however_it_ended() {
        let mut companions = Companions::default();
        companions.begin("endpoints", std::future::pending());
        companions.begin("local socket", async { panic!("a fault") });
        let gone = companions.gone().await.unwrap();
        assert_eq!(gone.what, "local socket");
        assert!(gone.why.unwrap().is_panic());

        companions.begin("watch for signals", async {});
        let gone = companions.gone().await.unwrap();
        assert_eq!((gone.what, gone.why.is_none()), ("watch for signals", true));
    }
}
