//! A router that knows its paths, so that a test can go through all of them.

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::MethodRouter;

use crate::state::AppState;

/// Routes under construction.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<AppState>,
    paths: Vec<String>,
}

impl Routes {
    /// Adds a path, as [`Router::route`] does.
    pub(crate) fn route(self, path: &str, methods: MethodRouter<AppState, Infallible>) -> Self {
        let mut paths = self.paths;
        paths.push(path.to_owned());
        Self {
            router: self.router.route(path, methods),
            paths,
        }
    }

    /// Adds routes below a path, as [`Router::nest`] does.
    pub(crate) fn nest(self, path: &str, below: Self) -> Self {
        let inner = below.paths.iter().map(|inner| match inner.as_str() {
            "/" => path.to_owned(),
            inner => format!("{path}{inner}"),
        });
        let mut paths = self.paths;
        paths.extend(inner);
        Self {
            router: self.router.nest(path, below.router),
            paths,
        }
    }

    /// Adds routes beside these.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        Self {
            router: self.router.merge(other.router),
            paths: self.paths,
        }
    }

    pub(crate) fn fallback<T: 'static>(self, handler: impl Handler<T, AppState>) -> Self {
        let router = self.router.fallback(handler);
        Self { router, ..self }
    }

    pub(crate) fn method_not_allowed_fallback<T: 'static>(
        self,
        handler: impl Handler<T, AppState>,
    ) -> Self {
        let router = self.router.method_not_allowed_fallback(handler);
        Self { router, ..self }
    }

    pub(crate) fn layer(self, limit: DefaultBodyLimit) -> Self {
        let router = self.router.layer(limit);
        Self { router, ..self }
    }

    /// The router, without what it knows.
    pub(crate) fn into_router(self) -> Router<AppState> {
        self.router
    }
}

/// Every path that the server answers, with `{names}` for what varies.
#[must_use]
pub fn paths() -> Vec<String> {
    all().paths
}

/// Every route of the server.
pub(crate) fn all() -> Routes {
    Routes::default()
        .nest("/api", crate::api::routes())
        .merge(crate::dashboard::routes())
}
