//! The directory behind both services: tenants, accounts, their passwords and what changed.

pub(crate) mod account;
pub(crate) mod change;
pub(crate) mod changes;
pub(crate) mod diary;
pub(crate) mod lockout;
pub(crate) mod roles;
pub(crate) mod tenant;
