//! One id per request: in the log and in the answer.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument as _, debug, info_span};
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Uuid;
}

/// The id of the request that is being answered.
pub(crate) fn current() -> Uuid {
    CURRENT
        .try_with(|id| *id)
        .unwrap_or_else(|_| Uuid::new_v4())
}

/// Gives every request its id and its span: method and path, never a header, a query or a body, nor the secret of an
/// invitation's link.
pub(crate) async fn assign(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4();
    let span = info_span!(
        "request",
        request.id = %id,
        method = %request.method(),
        path = shown(request.uri().path()),
    );
    let answer = async {
        let response = next.run(request).await;
        debug!(status = response.status().as_u16(), "answered");
        response
    };
    CURRENT.scope(id, answer.instrument(span)).await
}

fn shown(path: &str) -> &str {
    const INVITATION: &str = "/invitation/";
    if path.starts_with(INVITATION) {
        INVITATION
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_an_invitation_is_in_no_log() {
        assert_eq!(shown("/invitation/secret"), "/invitation/");
        assert_eq!(shown("/clients/1"), "/clients/1");
    }
}
