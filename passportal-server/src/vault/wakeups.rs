//! Wakes the long polls of a client when something changed for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

/// One watch channel per client that somebody ever waited for.
#[derive(Debug, Default)]
pub(crate) struct Wakeups {
    clients: Mutex<HashMap<Uuid, watch::Sender<()>>>,
}

impl Wakeups {
    /// Begins to listen: what happens from now on is seen. Call it before reading what there is.
    pub(super) fn subscribe(&self, client: Uuid) -> watch::Receiver<()> {
        self.clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(client)
            .or_insert_with(|| watch::Sender::new(()))
            .subscribe()
    }

    /// Wakes whoever waits for this client. Call it after the commit.
    pub(super) fn wake(&self, client: Uuid) {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = clients.get(&client) {
            sender.send_replace(());
        }
    }
}
