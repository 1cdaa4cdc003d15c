//! The style sheet, the icon and the one small script, served from memory.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(super) async fn style() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../../assets/style.css"))
}

pub(super) async fn reveal() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("../../assets/reveal.js"))
}

pub(super) async fn icon() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "image/svg+xml")];
    (kind, include_str!("../../assets/icon.svg"))
}
