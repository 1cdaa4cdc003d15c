//! A simulator of Entra ID's sign-in and of the Microsoft Graph calls that password synchronisation needs.
//!
//! It is a test double that speaks the real wire format: an unmodified client signs in at its token endpoint, reads
//! users and deltas, sets passwords and tests sign-ins. What a tenant holds and how its accounts behave is a
//! [`Scenario`]; a running tenant is a [`Simulator`], reachable in code and, over HTTP, under `/_sim`.

mod clock;
mod control;
mod counters;
mod directory;
mod edge;
mod entra;
mod graph;
mod guid;
mod recording;
mod reply;
mod scenario;
mod serve;
mod simulator;
mod world;

pub use control::fault::{Fault, When};
pub use counters::{Counters, TenantCounters, UserCounters};
pub use directory::change::{AccountChange, AppChange, TenantChange};
pub use scenario::{
    AppSpec, Authentication, Behaviour, ClearText, DomainSpec, FederatedSpec, GroupSpec, Scenario,
    ScenarioError, TenantSpec, Throttling, UserSpec, UserType, Verification,
};
pub use serve::{Listening, ServeError, TlsFiles, bind, serve};
pub use simulator::{Simulator, SimulatorError};
