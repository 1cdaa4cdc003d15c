//! The simulated tenant, on a port of this machine.

use std::net::{Ipv4Addr, SocketAddr};

use entra_sim::{AppSpec, Authentication, Scenario, Simulator, TenantSpec};
use jiff::SignedDuration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::cast::Part;
use super::random;

/// The tenant's initial domain.
pub(super) const NAME: &str = "contoso.onmicrosoft.com";

/// A running tenant.
pub(super) struct Tenant {
    pub(super) simulator: Simulator,
    pub(super) url: String,
    pub(super) client_id: Uuid,
    pub(super) client_secret: String,
    /// The public client of the sign-in test.
    pub(super) public_client_id: Uuid,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<(), entra_sim::ServeError>>,
}

impl Tenant {
    /// Starts a tenant with these accounts.
    pub(super) fn start(parts: &[Part]) -> anyhow::Result<Self> {
        let client_id = Uuid::new_v4();
        let public_client_id = Uuid::new_v4();
        let client_secret = random::password();
        let app = AppSpec::confidential(client_id, &client_secret)
            .permissions(&[
                "User.Read.All",
                "Domain.Read.All",
                "Organization.Read.All",
                "User-PasswordProfile.ReadWrite.All",
                "RoleManagement.Read.Directory",
                "GroupMember.Read.All",
            ])
            .roles(&["User Administrator"]);
        let mut spec = TenantSpec::new(NAME)
            .domain("contoso.com", Authentication::Managed)
            .domain("fed.contoso.com", Authentication::Federated)
            .app(app)
            .app(AppSpec::public(public_client_id));
        spec.users = parts
            .iter()
            .filter_map(|part| part.account.clone())
            .collect();
        let simulator = Simulator::new(Scenario::of(spec), SignedDuration::ZERO);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listening = entra_sim::bind(simulator.clone(), address, None)?;
        let url = listening.url();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(listening.run(async {
            // A sender that is gone ends it, too.
            let _ = ended.await;
        }));
        Ok(Self {
            simulator,
            url,
            client_id,
            client_secret,
            public_client_id,
            end,
            running,
        })
    }

    /// Passwords that were written through Graph so far.
    pub(super) fn writes(&self) -> u64 {
        self.simulator.counters().writes
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let _ = self.end.send(());
        Ok(self.running.await??)
    }
}
