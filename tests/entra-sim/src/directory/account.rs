//! One account: its properties, its password with stamp, and a change that has not replicated yet.

use std::collections::VecDeque;

use jiff::{Timestamp, TimestampRound, Unit};
use uuid::Uuid;

use super::lockout::SmartLockout;
use crate::counters::UserCounters;
use crate::guid;
use crate::scenario::{Behaviour, ClearText, UserSpec, UserType};

/// 2025-01-01T00:00:00Z, when accounts without a stated stamp got their password.
const FIRST_STAMP: i64 = 1_735_689_600;

/// An account as the directory keeps it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) user_principal_name: String,
    pub(crate) display_name: String,
    pub(crate) enabled: bool,
    pub(crate) user_type: UserType,
    pub(crate) on_premises: bool,
    pub(crate) behaviour: Behaviour,
    pub(crate) roles: Vec<String>,
    pub(crate) lockout: SmartLockout,
    pub(crate) counters: UserCounters,
    /// A deleted account stays as a tombstone, for deltas.
    pub(crate) removed: bool,
    /// Earlier sign-ins are revoked: no refresh token of theirs is taken.
    pub(crate) sign_ins_valid_from: Timestamp,
    created: Timestamp,
    visible: StoredPassword,
    replicating: VecDeque<(Timestamp, StoredPassword)>,
}

/// A password as the directory stores it.
#[derive(Debug, Clone)]
pub(crate) struct StoredPassword {
    pub(crate) secret: Option<ClearText>,
    pub(crate) stamp: Timestamp,
    /// The next sign-in must change it.
    pub(crate) must_change: bool,
}

impl Account {
    pub(crate) fn new(tenant_name: &str, spec: UserSpec) -> Self {
        let name = spec.user_principal_name;
        let first = Timestamp::from_second(FIRST_STAMP).unwrap_or(Timestamp::UNIX_EPOCH);
        let stamp = whole_seconds(spec.last_password_change.unwrap_or(first));
        Self {
            id: spec
                .id
                .unwrap_or_else(|| guid::derived("user", tenant_name, &name)),
            display_name: spec
                .display_name
                .unwrap_or_else(|| local_part(&name).to_owned()),
            user_principal_name: name,
            enabled: spec.account_enabled,
            user_type: spec.user_type,
            on_premises: spec.on_premises_sync_enabled,
            behaviour: spec.behaviour,
            roles: spec.roles,
            lockout: SmartLockout::default(),
            counters: UserCounters::default(),
            removed: false,
            sign_ins_valid_from: stamp,
            created: stamp.min(first),
            visible: StoredPassword {
                secret: spec.password,
                stamp,
                must_change: false,
            },
            replicating: VecDeque::new(),
        }
    }

    pub(crate) fn object_id(&self) -> Uuid {
        self.id
    }

    /// What readers and sign-ins see now.
    pub(crate) fn visible(&self) -> &StoredPassword {
        &self.visible
    }

    /// What was written last, visible or not.
    pub(crate) fn latest(&self) -> &StoredPassword {
        self.replicating
            .back()
            .map_or(&self.visible, |(_, password)| password)
    }

    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    /// Whether a sign-in with this password is right now.
    pub(crate) fn accepts(&self, password: &str) -> bool {
        self.visible
            .secret
            .as_ref()
            .is_some_and(|secret| secret.expose() == password)
    }

    /// Whether this is the password written last.
    pub(crate) fn is_set_to(&self, password: &str) -> bool {
        self.latest()
            .secret
            .as_ref()
            .is_some_and(|secret| secret.expose() == password)
    }

    /// Stores a password that becomes visible at `visible_at`.
    pub(crate) fn write(&mut self, password: StoredPassword, visible_at: Timestamp) {
        self.replicating.push_back((visible_at, password));
    }

    /// Lets everything due become visible; true when something did.
    pub(crate) fn settle(&mut self, now: Timestamp) -> bool {
        let mut settled = false;
        while self.replicating.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, password)) = self.replicating.pop_front() {
                self.visible = password;
                settled = true;
            }
        }
        settled
    }
}

/// Graph keeps the stamp in whole seconds.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    let floor = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(jiff::RoundMode::Floor);
    at.round(floor).unwrap_or(at)
}

fn local_part(user_principal_name: &str) -> &str {
    user_principal_name
        .split('@')
        .next()
        .unwrap_or(user_principal_name)
}
