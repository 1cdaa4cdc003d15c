//! A whole small world for tests: the embedded vault, a simulated tenant, and an agent between them.
//!
//! Everything is real and on loopback; only Microsoft is simulated. Each [`World`] has a folder of
//! its own that goes away with it.

mod app_certificate;
mod captured;
mod test_proxy;
mod tls;
mod wire_tap;
mod world;

pub use app_certificate::AppCertificate;
pub use captured::{Captured, files_with};
pub use test_proxy::{TestProxy, TestProxyBuilder};
pub use tls::TestCa;
pub use wire_tap::WireTap;
pub use world::{
    ADMIN_EMAIL, ADMIN_PASSWORD, APP, APP_SECRET, CLIENT, ORGANIZATION_KEY, PERMISSIONS,
    RunningAgent, TENANT, VAULT_HOST, World, WorldBuilder, eventually,
};
