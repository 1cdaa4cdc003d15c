//! The tenant's step: which one, in which cloud, and whether it is there.

use msgraph_sync::{Connection, FindTenantError, find_tenant};
use sync_engine::model::TenantId;

use super::ask::Question;
use super::{Wizard, WizardError};
use crate::config::Cloud;
use crate::outbound::Outbound;
use crate::tenant::endpoints;

impl Wizard<'_> {
    /// Asks Entra ID for the tenant, and Graph for any answer: both are needed, with TLS 1.2 or newer.
    pub(super) async fn tenant(&mut self, outbound: &Outbound) -> Result<(), WizardError> {
        self.heading(7, "Microsoft Entra ID");
        loop {
            let tenant = match &self.args.tenant {
                Some(tenant) => tenant.clone(),
                None => self.ask_for_tenant()?,
            };
            match self.look_for(&tenant, outbound).await {
                Ok(id) => {
                    self.well(&format!(
                        "tenant {tenant} is there ({id}), and Graph answers"
                    ));
                    self.args.tenant = Some(tenant);
                    self.keep();
                    return Ok(());
                }
                Err(error) => {
                    self.not_well(&error, error.hint());
                    self.args.tenant = None;
                    self.args.cloud = None;
                }
            }
        }
    }

    fn ask_for_tenant(&mut self) -> Result<String, WizardError> {
        let help = "a verified domain, e.g. contoso.onmicrosoft.com, or its GUID";
        let tenant = self.asker.line(Question::new("Tenant:", help), None)?;
        if self.args.cloud.is_none() {
            let question = Question::new("In which cloud?", "nearly always the global one");
            let of = Cloud::ALL.map(|cloud| cloud.to_string());
            let chosen = self.asker.choice(question, &of)?;
            self.args.cloud = Cloud::ALL.get(chosen).map(Cloud::to_string);
        }
        Ok(tenant)
    }

    async fn look_for(&self, tenant: &str, outbound: &Outbound) -> Result<String, FindTenantError> {
        let cloud = self.args.cloud.as_deref().unwrap_or_default().parse();
        let cloud = cloud.unwrap_or(Cloud::Global);
        let mut connection = Connection::new(TenantId(tenant.to_owned()), String::new());
        connection.endpoints = endpoints(
            cloud,
            self.args.authority.as_ref(),
            self.args.graph.as_ref(),
        );
        connection.extra_ca.clone_from(&outbound.extra_ca);
        connection.proxy.clone_from(&outbound.proxy);
        find_tenant(connection).await
    }
}
