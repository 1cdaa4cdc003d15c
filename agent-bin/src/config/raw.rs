//! The configuration's shape on disk: every key optional, no other key allowed.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::duration::Written;
use super::{Cloud, Region, SignIn};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) passportal: RawPassportal,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) sync: RawSync,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) verification: RawVerification,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) state: RawState,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) listen: RawListen,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) tls: RawTls,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) proxy: RawProxy,
    // Last, so that another client can be added at the end of the file.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) client: Vec<RawClient>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPassportal {
    pub(super) region: Option<Region>,
    pub(super) base_url: Option<Url>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawClient {
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) microsoft: RawMicrosoft,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMicrosoft {
    pub(super) tenant: Option<String>,
    pub(super) cloud: Option<Cloud>,
    pub(super) sign_in: Option<SignIn>,
    pub(super) client_id: Option<String>,
    pub(super) verification_client_id: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) certificate_password_file: Option<PathBuf>,
    pub(super) federated_token_file: Option<PathBuf>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) administrator: Option<String>,
    pub(super) authority: Option<Url>,
    pub(super) graph: Option<Url>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSync {
    pub(super) interval: Option<Written>,
    pub(super) full_read: Option<Written>,
    pub(super) breaker_percent: Option<u32>,
    pub(super) breaker_minimum: Option<u32>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawVerification {
    pub(super) enabled: Option<bool>,
    pub(super) recheck: Option<Written>,
    pub(super) max_failed_per_day: Option<u32>,
    pub(super) verdict_table: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawState {
    pub(super) url: Option<String>,
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawListen {
    pub(super) address: Option<SocketAddr>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) extra_ca: Option<PathBuf>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawProxy {
    pub(super) url: Option<Url>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
}
