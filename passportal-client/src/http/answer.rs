//! Reads an answer: Passportal's envelope around results or around an error.

use std::time::Duration;

use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ApiError;
use crate::wire::code;

/// More than the largest page of changes; a server must not be able to fill our memory.
const LARGEST_BODY: usize = 64 * 1024 * 1024;
const LONGEST_MESSAGE: usize = 300;

/// An answer, read to its end.
pub(super) struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Vec<u8>,
    path: String,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    results: T,
}

/// The parts of an envelope that tell success from failure, in whatever shape they come.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    code: Value,
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) async fn read(mut response: Response, path: &str) -> Result<Self, reqwest::Error> {
        let mut answer = Self {
            status: response.status(),
            retry_after: retry_after(&response),
            body: Vec::new(),
            path: path.to_owned(),
        };
        while let Some(chunk) = response.chunk().await? {
            answer.body.extend_from_slice(&chunk);
            if answer.body.len() > LARGEST_BODY {
                answer.body.clear();
                break;
            }
        }
        Ok(answer)
    }

    /// The answer, if it says that the call worked.
    pub(super) fn succeeded(self) -> Result<Self, ApiError> {
        let head: Option<Head> = serde_json::from_slice(&self.body).ok();
        // Only Passportal's own word counts: a proxy in front of it may answer 200 with a page.
        let said_yes = head.as_ref().is_some_and(|head| head.success == Some(true));
        if self.status.is_success() && said_yes {
            return Ok(self);
        }
        Err(match head.filter(|head| head.success.is_some()) {
            Some(head) => self.failure(&head),
            None => self.foreign(),
        })
    }

    /// The results inside the envelope.
    pub(super) fn results<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        self.plain::<Wrapped<T>>().map(|wrapped| wrapped.results)
    }

    /// The body itself, for the one answer that has no `results`.
    pub(super) fn plain<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // Not the error's own text: it may quote the answer, and with it a token.
            let place = format!("line {}, column {}", error.line(), error.column());
            self.protocol(format!("unexpected JSON at {place}"))
        })
    }

    /// A failure in Passportal's words.
    fn failure(&self, head: &Head) -> ApiError {
        let message = one_line(head.message.as_str().unwrap_or("no reason given"));
        let code = number(&head.code);
        match (code, self.status.as_u16()) {
            (
                code::KEY_VERIFICATION_FAILED
                | code::BAD_TOKEN
                | code::WRONG_CREDENTIALS
                | code::ONE_TIME_CODE_NEEDED
                | code::NOT_ALLOWED,
                _,
            )
            | (_, 401 | 403) => ApiError::NotAuthorised { message, code },
            (code::NOT_FOUND, _) | (_, 404) => ApiError::NotFound { message },
            (code::CONFLICT, _) | (_, 409) => ApiError::Conflict { message },
            (code::INVALID, _) | (_, 400 | 413 | 422) => ApiError::Invalid { message },
            (code::TOO_MANY, _) | (_, 429) => self.too_many(message),
            (code::INTERNAL, _) | (_, 500..) => self.server_failed(message),
            _ => self.protocol(message),
        }
    }

    /// A failure in the words of something else: a proxy, or another server.
    fn foreign(&self) -> ApiError {
        let said = format!("status {}", self.status);
        match self.status.as_u16() {
            429 => self.too_many(said),
            500.. => self.server_failed(said),
            300..=399 => self.protocol(format!("{said}, a redirect; is the address right?")),
            _ => self.protocol(format!("{said}; is this a Passportal server?")),
        }
    }

    fn too_many(&self, message: String) -> ApiError {
        ApiError::TooMany {
            message,
            retry_after: self.retry_after,
        }
    }

    fn server_failed(&self, message: String) -> ApiError {
        ApiError::Server {
            status: self.status.as_u16(),
            message,
        }
    }

    fn protocol(&self, reason: String) -> ApiError {
        ApiError::Protocol {
            path: self.path.clone(),
            reason,
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

fn number(value: &Value) -> u32 {
    let number = value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// A server's words go to terminals and logs: one line, no control characters, not too long.
fn one_line(message: &str) -> String {
    message
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(LONGEST_MESSAGE)
        .collect()
}
