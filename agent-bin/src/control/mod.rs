//! The agent's local socket: people on this machine ask the running service, and the operating system guards it.
//!
//! What only looks (status, preview, plans, explain) is answered beside the schedule by a dry run of its own, so that
//! it neither delays a push nor waits for a client that is failing. What acts (a cycle, a person's word about a plan)
//! is an errand that the client's schedule runs between two cycles. What concerns the agent as a whole (its configuration,
//! its log) is an order to the service.

mod answer;
mod client;
mod cycles;
mod errand;
mod error;
mod fault;
mod helm;
mod line;
mod listener;
mod peer;
mod place;
mod protocol;
mod server;

pub use answer::{Hand, answer, chosen};
pub use client::{AskError, Service};
pub use cycles::{Cycles, Expected};
pub(crate) use errand::{Asker, Errand};
pub use errand::{Errands, Inbox, errands};
pub use error::ControlError;
pub use fault::Fault;
pub(crate) use helm::Order;
pub use helm::{AgentTold, AgentWant, ClientTurn, Helm, Orders, Reloaded, ReloadedClient, helm};
pub use listener::Listener;
pub use peer::this_user;
pub use place::Place;
pub use protocol::{
    ClientAnswer, ClientStatus, Reach, Recall, Remembered, Request, Said, Told, VERSION, Waiting,
    Want,
};
pub use server::{Door, Doors, serve};
