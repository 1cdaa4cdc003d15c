//! The cookie of a browser that somebody signed in with before: wrong guesses of others do not count against it.

use std::net::IpAddr;

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use uuid::Uuid;

use crate::sign_in_limit::Source;
use crate::state::{AppState, Transport};
use crate::token::TokenHash;
use crate::vault::VaultError;

const COOKIE: &str = "passportal_browser";

/// The browser of a request, where the account knows it.
pub(super) struct KnownBrowser(Option<TokenHash>);

impl KnownBrowser {
    pub(super) async fn of(
        state: &AppState,
        jar: &CookieJar,
        email: &str,
    ) -> Result<Self, VaultError> {
        let Some(browser) = hash_of(jar) else {
            return Ok(Self(None));
        };
        let known = state.vault.knows_browser(email, &browser).await?;
        Ok(Self(known.then_some(browser)))
    }

    /// Where a sign-in comes from.
    pub(super) fn source(&self, address: IpAddr) -> Source<'_> {
        match &self.0 {
            Some(browser) => Source::Known(browser),
            None => Source::Address(address),
        }
    }
}

/// Makes the browser known to the account of whoever has just signed in. The vault says for how long.
pub(super) async fn remember(
    state: &AppState,
    jar: CookieJar,
    person: Uuid,
) -> Result<CookieJar, VaultError> {
    let before = hash_of(&jar);
    let token = state.vault.know_browser(person, before.as_ref()).await?;
    let cookie = Cookie::build((COOKIE, token.expose().to_owned()))
        .path("/login")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.transport == Transport::Tls)
        .permanent()
        .build();
    Ok(jar.add(cookie))
}

fn hash_of(jar: &CookieJar) -> Option<TokenHash> {
    Some(TokenHash::of(jar.get(COOKIE)?.value()))
}
