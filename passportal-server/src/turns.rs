//! Turns at work that takes much memory: only so many at once, whatever becomes of those who asked for it.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use crate::vault::VaultError;

/// Each Argon2id takes 19 MiB or 64 MiB for a while: more at once would let strangers fill the memory.
static ARGON2: LazyLock<Turns> = LazyLock::new(|| Turns::at_most(4));

struct Turns(Arc<Semaphore>);

/// Computes an Argon2id when it is its turn.
pub(crate) async fn argon2<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, VaultError> {
    ARGON2.take(work).await
}

impl Turns {
    fn at_most(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// The turn ends with the work: a caller who does not wait for it cannot stop it.
    async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let turn = turn.map_err(|_| VaultError::Hashing)?;
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| VaultError::Hashing)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn whoever_does_not_wait_keeps_the_turn_until_the_work_is_done() {
        let turns = Turns::at_most(1);
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let work = move || {
            let _ = begun.send(());
            let _ = ended.recv();
        };
        tokio::select! {
            biased;
            _ = turns.take(work) => panic!("the work has not ended"),
            _ = has_begun => {}
        }
        assert_eq!(turns.0.available_permits(), 0);
        end.send(()).unwrap();
        assert_eq!(turns.take(|| 1).await.unwrap(), 1);
    }
}
