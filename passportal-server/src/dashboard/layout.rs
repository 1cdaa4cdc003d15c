//! What every page behind the login has around its own content.

use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::{Act, Rights};

/// The frame of a page.
pub(super) struct Layout {
    pub(super) title: String,
    pub(super) organization: String,
    pub(super) email: String,
    pub(super) csrf: String,
    pub(super) section: Section,
    pub(super) message: Option<Message>,
    rights: Rights,
}

/// Where a page stands in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Dashboard,
    Clients,
    Flags,
    Reports,
    Audit,
    Notices,
    Downloads,
    People,
    Search,
    Account,
}

impl Layout {
    pub(super) fn new(
        state: &AppState,
        session: &SignedIn,
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
            rights: session.rights(),
        }
    }

    /// Whether the person's role allows the act: a page offers nothing else.
    pub(super) fn may(&self, act: Act) -> bool {
        self.rights.allow(act)
    }

    pub(super) fn may_make_reports(&self) -> bool {
        self.may(Act::MakeReports)
    }

    pub(super) fn may_manage_people(&self) -> bool {
        self.may(Act::ManagePeople)
    }

    pub(super) fn may_change_organization_key(&self) -> bool {
        self.may(Act::ChangeOrganizationKey)
    }

    pub(super) fn may_manage_notices(&self) -> bool {
        self.may(Act::ManageNotices)
    }

    pub(super) fn may_read_audit(&self) -> bool {
        self.may(Act::ReadAudit)
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
