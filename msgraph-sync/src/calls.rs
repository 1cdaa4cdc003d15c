//! Every call that is made to Microsoft Graph, built by graph-rs-sdk.
//!
//! graph-rs-sdk knows paths and `OData` parameters; it never sends anything here. Its requests are moved
//! onto the configured endpoint and sent by our own transport.

use std::num::NonZeroU32;
use std::sync::Arc;

use graph_http::api_impl::RequestHandler;
use graph_rs_sdk::{Graph, GraphFailure, ODataQuery};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;
use sync_engine::model::{ObjectId, Password};
use sync_engine::ports::PasswordWrite;
use url::Url;

use crate::GraphError;
use crate::paging::Link;
use crate::token::{TokenBridge, TokenCache};
use crate::transport::Transport;

/// What is read of an account.
pub(crate) const ACCOUNT_PROPERTIES: [&str; 6] = [
    "id",
    "userPrincipalName",
    "accountEnabled",
    "userType",
    "onPremisesSyncEnabled",
    "lastPasswordChangeDateTime",
];
const DOMAIN_PROPERTIES: [&str; 3] = ["id", "authenticationType", "isVerified"];

const ORGANIZATION_PROPERTIES: [&str; 3] = ["id", "displayName", "assignedPlans"];
const ASSIGNMENT_PROPERTIES: [&str; 3] = ["principalId", "roleDefinitionId", "directoryScopeId"];
/// The path of role assignments, which the SDK does not have.
const ROLE_ASSIGNMENTS_PATH: [&str; 3] = ["roleManagement", "directory", "roleAssignments"];
/// Source: Microsoft Graph, group resource type, `isAssignableToRole`.
const IS_ASSIGNABLE: &str = "isAssignableToRole eq true";

const PREFER: HeaderName = HeaderName::from_static("prefer");
const LARGEST_PAGE: HeaderValue = HeaderValue::from_static("odata.maxpagesize=999");

/// One call, with what it is about. An id is a parsed GUID, never text, so it cannot move the path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    /// All accounts, and the beginning of a chain of changes.
    UsersDelta,
    /// One account.
    User(ObjectId),
    /// Whether accounts can be read at all.
    AnyUser,
    /// The tenant's domains.
    Domains,
    /// The tenant's name and licence plans.
    Organization,
    /// Whether Microsoft's security defaults are on.
    SecurityDefaults,
    /// Every active assignment of a directory role.
    RoleAssignments,
    /// The groups that can hold directory roles.
    AssignableGroups,
    /// The direct members of a group.
    GroupMembers(ObjectId),
    /// The owners of a group.
    GroupOwners(ObjectId),
    /// A further page, or the changes since.
    Follow { link: &'a Link, of: &'static Facts },
    /// The one write.
    SetPassword {
        id: ObjectId,
        password: &'a Password,
    },
    /// Several of them in one request, in this order.
    SetPasswords(&'a [PasswordWrite]),
}

/// What is known of a call beside its request.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The least application permission that it needs.
    pub(crate) needs: &'static str,
    /// Its cost; what Microsoft does not list counts as it does there, one unit.
    /// Source: Microsoft Graph throttling limits, resource units of identity and access.
    pub(crate) units: NonZeroU32,
}

const ONE: NonZeroU32 = NonZeroU32::MIN;
const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

static USERS_DELTA: Facts = Facts {
    name: "GET /users/delta",
    needs: "User.Read.All",
    units: TWO,
};
static USER: Facts = Facts {
    name: "GET /users/{id}",
    needs: "User.Read.All",
    units: ONE,
};
static ANY_USER: Facts = Facts {
    name: "GET /users",
    needs: "User.Read.All",
    units: TWO,
};
static DOMAINS: Facts = Facts {
    name: "GET /domains",
    needs: "Domain.Read.All",
    units: ONE,
};
static SET_PASSWORDS: Facts = Facts {
    name: "POST /$batch",
    needs: "User-PasswordProfile.ReadWrite.All",
    units: ONE,
};
static ORGANIZATION: Facts = Facts {
    name: "GET /organization",
    needs: "Organization.Read.All",
    units: ONE,
};
static SECURITY_DEFAULTS: Facts = Facts {
    name: "GET /policies/identitySecurityDefaultsEnforcementPolicy",
    needs: "Policy.Read.All",
    units: ONE,
};
static ROLE_ASSIGNMENTS: Facts = Facts {
    name: "GET /roleManagement/directory/roleAssignments",
    needs: "RoleManagement.Read.Directory",
    units: ONE,
};
static ASSIGNABLE_GROUPS: Facts = Facts {
    name: "GET /groups",
    needs: "GroupMember.Read.All",
    units: TWO,
};
static GROUP_MEMBERS: Facts = Facts {
    name: "GET /groups/{id}/members",
    needs: "GroupMember.Read.All",
    units: TWO,
};
static GROUP_OWNERS: Facts = Facts {
    name: "GET /groups/{id}/owners",
    needs: "GroupMember.Read.All",
    units: TWO,
};
static SET_PASSWORD: Facts = Facts {
    name: "PATCH /users/{id}",
    needs: "User-PasswordProfile.ReadWrite.All",
    units: ONE,
};

impl Call<'_> {
    pub(crate) fn facts(&self) -> &'static Facts {
        match self {
            Self::UsersDelta => &USERS_DELTA,
            Self::User(_) => &USER,
            Self::AnyUser => &ANY_USER,
            Self::Domains => &DOMAINS,
            Self::Organization => &ORGANIZATION,
            Self::SecurityDefaults => &SECURITY_DEFAULTS,
            Self::RoleAssignments => &ROLE_ASSIGNMENTS,
            Self::AssignableGroups => &ASSIGNABLE_GROUPS,
            Self::GroupMembers(_) => &GROUP_MEMBERS,
            Self::GroupOwners(_) => &GROUP_OWNERS,
            Self::Follow { of, .. } => of,
            Self::SetPassword { .. } => &SET_PASSWORD,
            Self::SetPasswords(_) => &SET_PASSWORDS,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordUpdate<'a> {
    password_profile: PasswordProfile<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PasswordProfile<'a> {
    password: &'a str,
    force_change_password_next_sign_in: bool,
}

/// Source: Microsoft Graph, "Combine multiple HTTP requests using JSON batching".
#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<BatchItem<'a>>,
}

#[derive(Serialize)]
struct BatchItem<'a> {
    /// The item's place, counted from 0.
    id: String,
    method: &'static str,
    url: String,
    headers: JsonBody,
    body: PasswordUpdate<'a>,
}

/// An item with a body must say what it is.
#[derive(Serialize)]
struct JsonBody {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
}

/// Builds requests, each with a token that is valid now.
pub(crate) struct CallBuilder {
    sdk: Graph,
    tokens: Arc<TokenCache>,
    transport: Arc<Transport>,
    base: Url,
}

impl CallBuilder {
    pub(crate) fn new(base: Url, tokens: Arc<TokenCache>, transport: Arc<Transport>) -> Self {
        Self {
            sdk: Graph::from_client_app(TokenBridge(Arc::clone(&tokens))),
            tokens,
            transport,
            base,
        }
    }

    /// The host that calls go to.
    pub(crate) fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// The base that every link must stay on.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) async fn build(&self, call: &Call<'_>) -> Result<Request, GraphError> {
        let handler = match call {
            Call::Follow { link, of } => return self.follow(link, of).await,
            Call::UsersDelta => self
                .sdk
                .users()
                .delta()
                .select(&ACCOUNT_PROPERTIES)
                .header(PREFER, LARGEST_PAGE),
            Call::User(id) => self
                .sdk
                .user(id.to_string())
                .get_user()
                .select(&ACCOUNT_PROPERTIES),
            Call::AnyUser => self.sdk.users().list_user().select(&["id"]).top("1"),
            Call::Domains => self.sdk.domains().list_domain().select(&DOMAIN_PROPERTIES),
            Call::Organization => self
                .sdk
                .organizations()
                .list_organization()
                .select(&ORGANIZATION_PROPERTIES),
            Call::SecurityDefaults => self
                .sdk
                .policies()
                .get_identity_security_defaults_enforcement_policy(),
            Call::RoleAssignments => self
                .sdk
                .custom(Method::GET, None)
                .extend_path(&ROLE_ASSIGNMENTS_PATH)
                .select(&ASSIGNMENT_PROPERTIES),
            Call::AssignableGroups => self
                .sdk
                .groups()
                .list_group()
                .select(&["id"])
                .filter(&[IS_ASSIGNABLE]),
            Call::GroupMembers(id) => self
                .sdk
                .group(id.to_string())
                .list_members()
                .select(&["id"]),
            Call::GroupOwners(id) => self
                .sdk
                .group(id.to_string())
                .owners()
                .list_owners()
                .select(&["id"]),
            Call::SetPassword { id, password } => {
                self.sdk.user(id.to_string()).update_user(&update(password))
            }
            Call::SetPasswords(writes) => self.sdk.batch(&batch(writes)),
        };
        self.finish(handler, call.facts()).await
    }

    async fn finish(&self, handler: RequestHandler, of: &Facts) -> Result<Request, GraphError> {
        let built = handler.build().await.map_err(|failure| ours(failure, of))?;
        let not_built = |_| GraphError::NotBuilt { call: of.name };
        let mut request = built.build().map_err(not_built)?;
        let moved = moved_onto(&self.base, request.url());
        *request.url_mut() = moved;
        Ok(request)
    }

    async fn follow(&self, link: &Link, of: &Facts) -> Result<Request, GraphError> {
        let token = self.tokens.token().await?;
        self.transport
            .client()
            .get(link.url().clone())
            .bearer_auth(token.expose())
            .header(PREFER, LARGEST_PAGE)
            .build()
            .map_err(|_| GraphError::NotBuilt { call: of.name })
    }
}

fn update(password: &Password) -> PasswordUpdate<'_> {
    PasswordUpdate {
        password_profile: PasswordProfile {
            password: password.expose(),
            force_change_password_next_sign_in: false,
        },
    }
}

fn batch(writes: &[PasswordWrite]) -> Batch<'_> {
    let items = writes.iter().enumerate();
    Batch {
        requests: items.map(|(place, write)| item(place, write)).collect(),
    }
}

fn item(place: usize, write: &PasswordWrite) -> BatchItem<'_> {
    BatchItem {
        id: place.to_string(),
        method: "PATCH",
        url: format!("/users/{}", write.object),
        headers: JsonBody {
            content_type: "application/json",
        },
        body: update(&write.password),
    }
}

/// Our own error, which the token bridge sent through the SDK; the SDK's own are not repeated, for
/// their texts hold headers.
fn ours(failure: GraphFailure, of: &Facts) -> GraphError {
    let not_built = GraphError::NotBuilt { call: of.name };
    match failure {
        GraphFailure::Other(cause) => cause
            .downcast::<GraphError>()
            .map_or(not_built, |error| *error),
        _ => not_built,
    }
}

/// The SDK's URL with our scheme, host, port and base path.
fn moved_onto(base: &Url, sdk: &Url) -> Url {
    let mut url = base.clone();
    let base_path = base.path().trim_end_matches('/');
    url.set_path(&format!("{base_path}{}", sdk.path()));
    url.set_query(sdk.query());
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_moved_with_path_and_query() {
        let sdk =
            Url::parse("https://graph.microsoft.com/v1.0/users/delta()?%24select=id").unwrap();
        for (base, moved) in [
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/v1.0/users/delta()?%24select=id",
            ),
            (
                "https://proxy.example/graph/",
                "https://proxy.example/graph/v1.0/users/delta()?%24select=id",
            ),
        ] {
            let base = Url::parse(base).unwrap();
            assert_eq!(moved_onto(&base, &sdk).as_str(), moved);
        }
    }

    #[tokio::test]
    async fn every_call_goes_to_the_graph_of_its_cloud() {
        use crate::{Cloud, Endpoints};
        let tenant = crate::test_tenant::Tenant::start().await;
        for cloud in ["global", "us-gov-l4", "us-gov-l5", "china"] {
            let graph = Endpoints::of(cloud.parse::<Cloud>().unwrap()).graph;
            let session = tenant.session_at(graph.clone());
            let id = crate::test_tenant::id(1);
            let password = Password::new("Password-1");
            let writes = [PasswordWrite {
                object: id,
                password: password.clone(),
            }];
            for (call, path) in [
                (Call::UsersDelta, "/v1.0/users/delta()".to_owned()),
                (Call::User(id), format!("/v1.0/users/{id}")),
                (Call::AnyUser, "/v1.0/users".to_owned()),
                (Call::Domains, "/v1.0/domains".to_owned()),
                (
                    Call::SetPassword {
                        id,
                        password: &password,
                    },
                    format!("/v1.0/users/{id}"),
                ),
                (Call::SetPasswords(&writes), "/v1.0/$batch".to_owned()),
            ] {
                let request = session.build(&call).await.unwrap();
                assert_eq!(request.url().origin(), graph.origin(), "{cloud}");
                assert_eq!(request.url().path(), path, "{cloud}");
            }
        }
    }
}
