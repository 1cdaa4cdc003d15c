//! Scenarios written in code: each value begins with Microsoft's defaults and is changed by name.

use jiff::SignedDuration;
use uuid::Uuid;

use super::{
    AppSpec, Authentication, Behaviour, ClearText, DomainSpec, FederatedSpec, GroupSpec, Scenario,
    TenantSpec, Throttling, UserSpec, UserType, Verification, defaults,
};

impl Scenario {
    /// A world of one tenant.
    pub fn of(tenant: TenantSpec) -> Self {
        Self {
            tenants: vec![tenant],
            faults: Vec::new(),
        }
    }
}

impl TenantSpec {
    /// An empty tenant with its initial domain and Microsoft's default limits.
    pub fn new(name: &str) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            verification: Verification::Allowed,
            replication_lag: SignedDuration::ZERO,
            lockout_threshold: defaults::lockout_threshold(),
            token_lifetime: defaults::token_lifetime(),
            delta_link_lifetime: defaults::delta_link_lifetime(),
            largest_page: None,
            throttling: None,
            banned_words: Vec::new(),
            domains: Vec::new(),
            apps: Vec::new(),
            groups: Vec::new(),
            users: Vec::new(),
        }
    }

    /// Throttles.
    #[must_use]
    pub fn throttling(mut self, throttling: Throttling) -> Self {
        self.throttling = Some(throttling);
        self
    }

    /// Adds a verified domain.
    #[must_use]
    pub fn domain(mut self, name: &str, authentication: Authentication) -> Self {
        self.domains.push(DomainSpec {
            name: name.to_owned(),
            authentication,
        });
        self
    }

    /// Adds an application.
    #[must_use]
    pub fn app(mut self, app: AppSpec) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds a role-assignable group.
    #[must_use]
    pub fn group(mut self, group: GroupSpec) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds an account.
    #[must_use]
    pub fn user(mut self, user: UserSpec) -> Self {
        self.users.push(user);
        self
    }

    /// The tenant id, given or derived from the name.
    pub fn tenant_id(&self) -> Uuid {
        self.id
            .unwrap_or_else(|| crate::guid::derived("tenant", "", &self.name))
    }
}

impl AppSpec {
    /// An application that signs in with a secret, without permissions yet.
    pub fn confidential(client_id: Uuid, secret: &str) -> Self {
        Self {
            client_id,
            secret: Some(ClearText::from(secret)),
            secret_file: None,
            secret_expires: None,
            certificates: Vec::new(),
            certificate_files: Vec::new(),
            single_use_assertions: false,
            federated: Vec::new(),
            permissions: Vec::new(),
            roles: Vec::new(),
            public_client: false,
        }
    }

    /// An application without a secret that may sign users in.
    pub fn public(client_id: Uuid) -> Self {
        Self {
            secret: None,
            public_client: true,
            ..Self::confidential(client_id, "")
        }
    }

    /// An application that signs in with assertions only.
    pub fn without_secret(client_id: Uuid) -> Self {
        Self {
            secret: None,
            ..Self::confidential(client_id, "")
        }
    }

    /// Registers a certificate (PEM).
    #[must_use]
    pub fn certificate(mut self, pem: &str) -> Self {
        self.certificates.push(pem.to_owned());
        self
    }

    /// Refuses an assertion that it has seen.
    #[must_use]
    pub fn single_use_assertions(mut self) -> Self {
        self.single_use_assertions = true;
        self
    }

    /// Trusts tokens of another issuer for this subject and the usual audience, verified with this key (PEM).
    #[must_use]
    pub fn federated(mut self, issuer: &str, subject: &str, public_key: &str) -> Self {
        self.federated.push(FederatedSpec {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: defaults::federated_audience(),
            public_key: public_key.to_owned(),
            public_key_file: None,
        });
        self
    }

    /// Whether nothing proves that it is this application.
    pub(crate) fn has_no_proof(&self) -> bool {
        self.secret.is_none() && self.certificates.is_empty() && self.federated.is_empty()
    }

    /// Consents to Graph permissions.
    #[must_use]
    pub fn permissions(mut self, permissions: &[&str]) -> Self {
        self.permissions
            .extend(permissions.iter().map(ToString::to_string));
        self
    }

    /// Assigns directory roles.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles.extend(roles.iter().map(ToString::to_string));
        self
    }
}

impl GroupSpec {
    /// A role-assignable group without anybody and without a role.
    pub fn new(name: &str) -> Self {
        Self {
            id: None,
            name: name.to_owned(),
            members: Vec::new(),
            owners: Vec::new(),
            roles: Vec::new(),
        }
    }

    /// Adds a member: a user principal name, or an application's client id.
    #[must_use]
    pub fn member(mut self, name: &str) -> Self {
        self.members.push(name.to_owned());
        self
    }

    /// Adds an owner.
    #[must_use]
    pub fn owner(mut self, name: &str) -> Self {
        self.owners.push(name.to_owned());
        self
    }

    /// Assigns directory roles.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles.extend(roles.iter().map(ToString::to_string));
        self
    }
}

impl UserSpec {
    /// An enabled member whose right password signs in.
    pub fn new(user_principal_name: &str, password: &str) -> Self {
        Self {
            id: None,
            user_principal_name: user_principal_name.to_owned(),
            password: Some(ClearText::from(password)),
            display_name: None,
            account_enabled: true,
            user_type: UserType::Member,
            on_premises_sync_enabled: false,
            behaviour: Behaviour::Normal,
            roles: Vec::new(),
            last_password_change: None,
        }
    }

    /// Chooses what a sign-in meets.
    #[must_use]
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Turns sign-in off.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.account_enabled = false;
        self
    }

    /// Makes it a guest.
    #[must_use]
    pub fn guest(mut self) -> Self {
        self.user_type = UserType::Guest;
        self
    }

    /// Makes it mastered on premises.
    #[must_use]
    pub fn on_premises(mut self) -> Self {
        self.on_premises_sync_enabled = true;
        self
    }

    /// Assigns directory roles.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles.extend(roles.iter().map(ToString::to_string));
        self
    }
}
