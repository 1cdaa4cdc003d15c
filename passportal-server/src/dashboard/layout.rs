//! What every page behind the login has around its own content.

use super::session::{Message, Session};
use crate::state::AppState;

/// The frame of a page.
pub(super) struct Layout {
    pub(super) title: String,
    pub(super) organization: String,
    pub(super) email: String,
    pub(super) csrf: String,
    pub(super) section: Section,
    pub(super) message: Option<Message>,
}

/// Where a page stands in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Dashboard,
    Clients,
    Flags,
    Reports,
    Audit,
    Search,
    Account,
}

impl Layout {
    pub(super) fn new(
        state: &AppState,
        session: &Session,
        section: Section,
        title: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            organization: state.vault.organization().name.clone(),
            email: session.person.email.clone(),
            csrf: session.csrf().to_owned(),
            section,
            message: session.take_message(),
        }
    }

    /// The value of `aria-current` for a link of the navigation.
    pub(super) fn current(&self, section: Section) -> &'static str {
        if self.section == section {
            "page"
        } else {
            "false"
        }
    }
}
