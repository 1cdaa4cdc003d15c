//! The tenant's token endpoint: one request, and what its answer says.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername,
    Scope, TokenResponse, TokenUrl,
};
use reqwest::{Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sync_engine::model::{Password, UserPrincipalName};
use url::Url;
use uuid::Uuid;

use super::identity::Evidence;
use super::{AccessToken, AppIdentity, ClaimsChallenge, Granted, claims};
use crate::retry_after::retry_after;
use crate::transport::{Answer, SendFault, Transport};
use crate::{GraphError, PasswordTry, ServiceFault};

/// RFC 6749 calls `expires_in` recommended; Entra ID always sends it.
const UNSTATED_LIFETIME: Duration = Duration::from_mins(5);
/// RFC 7523, 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Without this scope there is no refresh token.
pub(super) const OFFLINE_ACCESS: &str = "offline_access";

/// Why there is no token.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TokenFault {
    /// Nothing was sent: the app cannot prove who it is.
    #[error("no proof")]
    NoProof(GraphError),
    /// No answer.
    #[error(transparent)]
    Send(SendFault),
    /// A refusal.
    #[error("refused")]
    Refused(Refusal),
    /// A success that is none: a page of a proxy, for instance.
    #[error("not understood")]
    NotUnderstood,
}

impl TokenFault {
    /// As an error of the tenant; what a refusal means depends on who asked.
    pub(crate) fn explain(
        self,
        endpoint: &TokenEndpoint,
        refused: impl FnOnce(&Refusal) -> GraphError,
    ) -> GraphError {
        match self {
            Self::NoProof(error) => error,
            Self::Send(fault) => fault.at(endpoint.host()),
            Self::Refused(refusal) => refused(&refusal),
            Self::NotUnderstood => GraphError::NotUnderstood {
                call: "POST /oauth2/v2.0/token",
                source: None,
            },
        }
    }
}

/// What a refresh token was exchanged for.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) granted: Granted,
    /// The refresh token that takes its place.
    pub(crate) rotated: Option<SecretString>,
}

/// A refusal, by its codes. Its description is for people, and may change at any time.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) codes: Vec<u32>,
    pub(crate) wait: Option<Duration>,
    pub(crate) request_id: Option<String>,
    pub(crate) client_request_id: Option<Uuid>,
}

impl Refusal {
    pub(crate) fn fault(&self) -> ServiceFault {
        ServiceFault {
            status: self.status.as_u16(),
            code: self.codes.first().map(|code| format!("AADSTS{code}")),
            request_id: self.request_id.clone(),
            client_request_id: self.client_request_id,
            wait: self.wait,
        }
    }
}

/// The token endpoint of one tenant.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    url: Url,
    transport: Arc<Transport>,
}

type Client =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl TokenEndpoint {
    pub(crate) fn new(url: Url, transport: Arc<Transport>) -> Self {
        Self { url, transport }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) async fn send(&self, request: Request) -> Result<Answer, SendFault> {
        self.transport.send(request).await
    }

    pub(crate) fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// A token for the app itself, with the claims that a challenge demands.
    pub(crate) async fn client_credentials(
        &self,
        app: &AppIdentity,
        scope: &str,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Granted, TokenFault> {
        let evidence = self.evidence(app).await?;
        let client = self.client(app, &evidence);
        let mut request = client
            .exchange_client_credentials()
            .add_scope(Scope::new(scope.to_owned()))
            .add_extra_param("claims", claims::request(challenge));
        for (name, value) in evidence.parameters() {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(self).await;
        answer.map(|token| granted(&token)).map_err(fault)
    }

    /// A sign-in with a user's name and password, sent once.
    pub(crate) async fn password(
        &self,
        app: &AppIdentity,
        scope: &str,
        user_name: &UserPrincipalName,
        password: &Password,
    ) -> Result<(), TokenFault> {
        let user_name = ResourceOwnerUsername::new(user_name.as_str().to_owned());
        let password = ResourceOwnerPassword::new(password.expose().to_owned());
        let evidence = self.evidence(app).await?;
        let client = self.client(app, &evidence);
        let mut request = client
            .exchange_password(&user_name, &password)
            .add_scope(Scope::new(scope.to_owned()));
        for (name, value) in evidence.parameters() {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(self).await;
        // The user's token is of no use to us, and is dropped here.
        answer.map(drop).map_err(fault)
    }

    /// A token on behalf of a person who signs in by password, sent once, and the first refresh token.
    pub(crate) async fn person_by_password(
        &self,
        app: &AppIdentity,
        scope: &str,
        given: &PasswordTry,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Refreshed, TokenFault> {
        let user_name = ResourceOwnerUsername::new(given.user_name.as_str().to_owned());
        let password = ResourceOwnerPassword::new(given.password.expose().to_owned());
        let evidence = self.evidence(app).await?;
        let client = self.client(app, &evidence);
        let request = client
            .exchange_password(&user_name, &password)
            .add_scope(Scope::new(scope.to_owned()))
            .add_scope(Scope::new(OFFLINE_ACCESS.to_owned()))
            .add_extra_param("claims", claims::request(challenge));
        let answer = request.request_async(self).await.map_err(fault)?;
        Ok(refreshed(&answer))
    }

    /// A token on behalf of a signed-in person, and the next refresh token.
    pub(crate) async fn refresh(
        &self,
        app: &AppIdentity,
        scope: &str,
        token: &SecretString,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Refreshed, TokenFault> {
        let token = RefreshToken::new(token.expose_secret().to_owned());
        let evidence = self.evidence(app).await?;
        let client = self.client(app, &evidence);
        let request = client
            .exchange_refresh_token(&token)
            .add_scope(Scope::new(scope.to_owned()))
            .add_scope(Scope::new(OFFLINE_ACCESS.to_owned()))
            .add_extra_param("claims", claims::request(challenge));
        let answer = request.request_async(self).await.map_err(fault)?;
        Ok(refreshed(&answer))
    }

    async fn evidence(&self, app: &AppIdentity) -> Result<Evidence, TokenFault> {
        app.prove(&self.url).await.map_err(TokenFault::NoProof)
    }

    fn client(&self, app: &AppIdentity, evidence: &Evidence) -> Client {
        let client = BasicClient::new(ClientId::new(app.client_id().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url.clone()));
        match evidence {
            Evidence::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Evidence::Nothing | Evidence::Assertion(_) => client,
        }
    }

    /// Sends one request. Everything but a 200 is told here, where status and headers are known.
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TokenFault> {
        let request = Request::try_from(request).map_err(|_| TokenFault::NotUnderstood)?;
        let answer = self.send(request).await.map_err(TokenFault::Send)?;
        if answer.status != StatusCode::OK {
            return Err(TokenFault::Refused(refusal(&answer)));
        }
        Ok(HttpResponse::new(answer.body))
    }
}

impl Evidence {
    /// What oauth2 has no word for.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Nothing | Self::Secret(_) => Vec::new(),
            Self::Assertion(assertion) => vec![
                ("client_assertion_type", JWT_BEARER.to_owned()),
                ("client_assertion", assertion.expose_secret().to_owned()),
            ],
        }
    }
}

/// Lets oauth2 put requests together and leaves sending to our own transport.
impl<'c> AsyncHttpClient<'c> for TokenEndpoint {
    type Error = TokenFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TokenFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

fn refreshed(answer: &BasicTokenResponse) -> Refreshed {
    let rotated = answer.refresh_token();
    Refreshed {
        granted: granted(answer),
        rotated: rotated.map(|token| SecretString::from(token.secret().as_str())),
    }
}

fn granted(token: &BasicTokenResponse) -> Granted {
    Granted {
        token: AccessToken::new(token.access_token().secret()),
        lifetime: token.expires_in().unwrap_or(UNSTATED_LIFETIME),
    }
}

/// Keeps our own faults, and nothing of a body that could hold a token.
pub(super) fn fault<T>(error: RequestTokenError<TokenFault, T>) -> TokenFault
where
    T: oauth2::ErrorResponse,
{
    match error {
        RequestTokenError::Request(fault) => fault,
        _ => TokenFault::NotUnderstood,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireRefusal {
    error_codes: Vec<u32>,
    trace_id: Option<String>,
}

pub(crate) fn refusal(answer: &Answer) -> Refusal {
    let wire: WireRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    Refusal {
        status: answer.status,
        codes: wire.error_codes,
        wait: retry_after(&answer.headers),
        // Only what is an id: the rest of an error body is not repeated anywhere.
        request_id: wire.trace_id.filter(|id| Uuid::parse_str(id).is_ok()),
        client_request_id: Some(answer.request),
    }
}
