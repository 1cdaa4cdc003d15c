//! The failures that the conventions bring to every call of a kind, added to the API's description.

use passportal_client::wire::Failure;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, ToSchema as _};

/// Adds to each operation the usual failures that it does not describe itself.
pub(super) struct UsualFailures;

impl Modify for UsualFailures {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for path in description.paths.paths.values_mut() {
            operations(path).for_each(complete);
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.patch,
        &mut path.delete,
    ];
    methods.into_iter().flatten()
}

fn complete(operation: &mut Operation) {
    let needs_token = operation.security.is_none();
    let has_body = operation.request_body.is_some();
    let is_asked = has_body || takes(operation, &ParameterIn::Query);
    let usual = [
        (is_asked, "400", "The request cannot be read (4022)"),
        (needs_token, "401", "No access token that is good (1006)"),
        (
            needs_token,
            "403",
            "The access token is not for this call (4003)",
        ),
        (
            takes(operation, &ParameterIn::Path) || names_a_client(operation),
            "404",
            "It does not exist (4004)",
        ),
        (has_body, "413", "The body is too long (4022)"),
        (has_body, "415", "The body is of another type (4022)"),
        (is_asked, "422", "The request is refused (4022)"),
    ];
    for (_, status, why) in usual.into_iter().filter(|(applies, ..)| *applies) {
        let responses = &mut operation.responses.responses;
        let described = responses.entry(status.to_owned());
        described.or_insert_with(|| failure(why).into());
    }
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|it| matches!(it, RefOr::T(it) if it.parameter_in == *place))
}

fn names_a_client(operation: &Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|it| matches!(it, RefOr::T(it) if it.name == "client"))
}

fn failure(why: &str) -> Response {
    let schema = Ref::from_schema_name(Failure::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(why);
    response.content("application/json", content).build()
}
