//! The dashboard: server-rendered pages behind a login. It works without JavaScript.

mod account_page;
mod account_second_factor;
mod agent_actions;
mod assets;
mod audit_page;
mod authority_form;
mod bulk_actions;
mod chart;
mod client_page;
mod clients_page;
mod credential_actions;
mod credential_edit;
mod credential_form;
mod credential_page;
mod downloads_page;
mod export;
mod flag_actions;
mod flags_page;
mod form;
mod home_page;
mod import_page;
mod import_seal;
mod invitation_page;
mod kept;
mod known_browser;
mod layout;
mod login;
mod notice_form;
mod notices_page;
mod organization_key_page;
mod overwrite_page;
mod paging;
mod people_page;
mod plan_page;
mod problem;
mod reports_page;
mod search_page;
mod second_step;
mod secrets;
mod session;
mod signed_in;
mod trends_page;
mod wording;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub(crate) use invitation_page::invitation_path;
pub(crate) use session::Sessions;

use crate::routes::Routes;

/// The longest form: notes.
const BODY_LIMIT: usize = 256 * 1024;

/// Every page.
pub(crate) fn routes() -> Routes {
    const CREDENTIAL: &str = "/clients/{client}/credentials/{credential}";
    const PLAN: &str = "/clients/{client}/plans/{plan}";
    let action = |name: &str| format!("{CREDENTIAL}/{name}");
    Routes::default()
        .route("/", get(home_page::show))
        .route("/login", get(login::show).post(login::sign_in))
        .route(
            "/login/code",
            get(second_step::show).post(second_step::sign_in),
        )
        .route("/logout", post(login::sign_out))
        .route("/flags", get(flags_page::show))
        .route("/flags/selected", post(flag_actions::act))
        .route(
            "/flags/snooze",
            get(flag_actions::show).post(flag_actions::snooze),
        )
        .route("/flags/unsnooze", post(flag_actions::end_snooze))
        .route("/export", post(export::of_all))
        .route("/clients/{client}/export", post(export::of_client))
        .route("/import", get(import_page::show_any))
        .route(
            "/clients/{client}/import",
            get(import_page::show)
                .post(import_page::preview)
                .layer(DefaultBodyLimit::max(import_page::FILE_LIMIT)),
        )
        .route("/clients/{client}/import/store", post(import_page::store))
        .route("/search", get(search_page::show))
        .route(
            "/clients",
            get(clients_page::show).post(clients_page::create),
        )
        .route("/clients/{client}", get(client_page::show))
        .route("/clients/{client}/settings", post(client_page::change))
        .route("/clients/{client}/credentials", post(credential_edit::add))
        .route(
            "/clients/{client}/credentials/new",
            get(credential_edit::show_new),
        )
        .route(
            "/clients/{client}/credentials/selected",
            post(bulk_actions::act),
        )
        .route(PLAN, get(plan_page::show))
        .route(&format!("{PLAN}/approve"), post(plan_page::approve))
        .route(&format!("{PLAN}/reject"), post(plan_page::reject))
        .route(CREDENTIAL, get(credential_page::show))
        .route(
            &action("edit"),
            get(credential_edit::show_edit).post(credential_edit::save),
        )
        .route(&action("code"), post(credential_page::code))
        .route(&action("mode"), post(credential_actions::set_mode))
        .route(&action("password"), post(credential_actions::set_password))
        .route(&action("confirm"), post(credential_actions::confirm))
        .route(&action("standing"), post(credential_actions::set_standing))
        .route(&action("reveal"), post(credential_page::reveal))
        .route(
            &action("flags/{kind}/clear"),
            post(credential_actions::clear_flag),
        )
        .route("/reports", get(reports_page::first))
        .route("/reports/{report}", get(reports_page::show))
        .route("/trends", get(trends_page::show))
        .route("/downloads", get(downloads_page::show))
        .route("/downloads/files/{name}", get(downloads_page::file))
        .route("/downloads/templates/{name}", get(downloads_page::template))
        .route("/audit", get(audit_page::show))
        .route("/audit/export", get(audit_page::export))
        .route("/notices", get(notices_page::show).post(notices_page::add))
        .route("/notices/{channel}/settings", post(notices_page::change))
        .route("/notices/{channel}/test", post(notices_page::test))
        .route("/notices/{channel}/remove", post(notices_page::remove))
        .route("/agents/{agent}/revoke", post(agent_actions::revoke))
        .route("/people", get(people_page::show))
        .route("/people/invitations", post(people_page::invite))
        .route(
            "/people/invitations/{invitation}/withdraw",
            post(people_page::withdraw),
        )
        .route(
            "/people/{person}",
            get(people_page::show_person).post(people_page::change),
        )
        .route("/people/{person}/standing", post(people_page::set_standing))
        .route(
            "/invitation/{token}",
            get(invitation_page::show).post(invitation_page::accept),
        )
        .merge(account_routes())
        .route("/assets/style.css", get(assets::style))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/assets/reveal.js", get(assets::reveal))
        .fallback(problem::no_such_page)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// A person's own account.
fn account_routes() -> Routes {
    const SECOND_FACTOR: &str = "/account/second-factor";
    Routes::default()
        .route("/account", get(account_page::show))
        .route("/account/password", post(account_page::change_password))
        .route(
            "/account/sessions/end",
            post(account_page::sign_out_everywhere),
        )
        .route(
            "/account/sessions/{session}/end",
            post(account_page::end_session),
        )
        .route(
            SECOND_FACTOR,
            get(account_second_factor::show).post(account_second_factor::begin),
        )
        .route(
            &format!("{SECOND_FACTOR}/confirm"),
            post(account_second_factor::confirm),
        )
        .route(
            &format!("{SECOND_FACTOR}/off"),
            post(account_second_factor::turn_off),
        )
        .route(
            "/organization-key",
            get(organization_key_page::show).post(organization_key_page::change),
        )
        .route(
            "/account/recovery-codes",
            post(account_second_factor::renew_recovery_codes),
        )
}
