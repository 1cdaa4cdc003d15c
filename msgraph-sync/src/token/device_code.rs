//! The device authorization grant: asks for a code, and polls until a person has entered it elsewhere.
//!
//! Source: Microsoft identity platform and the OAuth 2.0 device authorization grant flow; RFC 8628. Where RFC 8628 says
//! `access_denied`, Entra ID says `authorization_declined`.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponse,
    DeviceCodeErrorResponseType, HttpRequest, HttpResponse, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use reqwest::{Request, StatusCode};
use secrecy::SecretString;
use url::Url;

use super::endpoint::{OFFLINE_ACCESS, Refusal, TokenEndpoint, TokenFault, fault, refusal};
use crate::transport::SendFault;

const DECLINED: &str = "authorization_declined";

/// Why polling ended without a token.
#[derive(Debug)]
pub(crate) enum DeviceFault {
    /// The person declined.
    Declined,
    /// Nobody entered the code in time.
    Expired,
    /// Anything else.
    Token(TokenFault),
}

impl TokenEndpoint {
    /// A pair of codes for this public client.
    pub(crate) async fn device_code(
        &self,
        url: &Url,
        client_id: &str,
        scope: &str,
    ) -> Result<StandardDeviceAuthorizationResponse, TokenFault> {
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url.clone()));
        let request = client
            .exchange_device_code()
            .add_scope(Scope::new(scope.to_owned()))
            .add_scope(Scope::new(OFFLINE_ACCESS.to_owned()));
        request.request_async(self).await.map_err(fault)
    }

    /// Polls at the pace that the service asks for, until there is an answer; `pause` waits between two polls.
    pub(crate) async fn poll_device_code<P: Future<Output = ()>>(
        &self,
        client_id: &str,
        codes: &StandardDeviceAuthorizationResponse,
        pause: impl Fn(Duration) -> P,
    ) -> Result<SecretString, DeviceFault> {
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.url().clone()));
        let poll = Poll {
            endpoint: self,
            last: Mutex::default(),
        };
        let request = client.exchange_device_access_token(codes);
        let answer = request.request_async(&poll, pause, None).await;
        let token = answer.map_err(|error| poll.explain(&error))?;
        let refresh = token.refresh_token();
        let refresh = refresh.ok_or(DeviceFault::Token(TokenFault::NotUnderstood))?;
        Ok(SecretString::from(refresh.secret().as_str()))
    }
}

/// Shows refusals to oauth2, which knows those that mean "not yet", and remembers the last one. What passes by itself
/// counts as no answer: oauth2 tries again, more slowly.
struct Poll<'e> {
    endpoint: &'e TokenEndpoint,
    last: Mutex<Option<Refusal>>,
}

impl Poll<'_> {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, PollFault> {
        let request = Request::try_from(request).map_err(|_| PollFault::NotBuilt)?;
        let answer = self.endpoint.send(request).await.map_err(PollFault::Send)?;
        if answer.status != StatusCode::OK {
            let refusal = refusal(&answer);
            if passes(answer.status) {
                return Err(PollFault::Passing);
            }
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some(refusal);
        }
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = answer.status;
        Ok(response)
    }

    fn explain(self, error: &RequestTokenError<PollFault, DeviceCodeErrorResponse>) -> DeviceFault {
        use DeviceCodeErrorResponseType::{AccessDenied, Basic, ExpiredToken};
        if let RequestTokenError::ServerResponse(stated) = error {
            match stated.error() {
                AccessDenied => return DeviceFault::Declined,
                ExpiredToken => return DeviceFault::Expired,
                Basic(BasicErrorResponseType::Extension(word)) if word == DECLINED => {
                    return DeviceFault::Declined;
                }
                _ => {}
            }
        }
        let last = self
            .last
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        DeviceFault::Token(last.map_or(TokenFault::NotUnderstood, TokenFault::Refused))
    }
}

fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Why one poll has no answer.
#[derive(Debug, thiserror::Error)]
enum PollFault {
    #[error("not built")]
    NotBuilt,
    #[error(transparent)]
    Send(SendFault),
    #[error("not available now")]
    Passing,
}

impl<'c> AsyncHttpClient<'c> for Poll<'_> {
    type Error = PollFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, PollFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}
