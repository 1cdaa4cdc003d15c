//! The API's description as a page for people, made from the same OpenAPI document that programs get.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Map, Value};

use super::openapi;

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    tags: BTreeMap<String, Vec<Operation>>,
    types: Vec<Type>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    needs_token: bool,
    parameters: Vec<Parameter>,
    body: Option<Shape>,
    answers: Vec<Answer>,
}

struct Parameter {
    name: String,
    place: String,
    shape: Shape,
    about: String,
}

struct Answer {
    status: String,
    about: String,
    shape: Option<Shape>,
}

/// A type of the document.
struct Type {
    name: String,
    about: String,
    fields: Vec<Field>,
    words: Vec<String>,
}

struct Field {
    name: String,
    shape: Shape,
    required: bool,
    about: String,
}

/// What a value is: words, of which some are names of types.
struct Shape(Vec<Part>);

enum Part {
    Word(String),
    Type(String),
}

pub(super) async fn page() -> Response {
    let page = serde_json::to_value(openapi::description())
        .ok()
        .and_then(|document| read(&document).render().ok());
    match page {
        Some(page) => Html(page).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn read(document: &Value) -> ApiPage {
    let mut tags: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, methods) in entries(&document["paths"]) {
        for (method, operation) in entries(methods) {
            let tag = items(&operation["tags"])
                .map(text)
                .next()
                .unwrap_or_default();
            let operation = read_operation(path, method, operation);
            tags.entry(tag).or_default().push(operation);
        }
    }
    let types = entries(
        document
            .pointer("/components/schemas")
            .unwrap_or(&Value::Null),
    );
    ApiPage {
        tags,
        types: types
            .map(|(name, schema)| read_type(name, schema))
            .collect(),
    }
}

fn read_operation(path: &str, method: &str, operation: &Value) -> Operation {
    let summary = [&operation["summary"], &operation["description"]].map(text);
    let is_open = |security: &Value| {
        let ways = security.as_array();
        ways.is_some_and(|ways| {
            ways.iter()
                .all(|way| way.as_object().is_some_and(Map::is_empty))
        })
    };
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: summary.join(" ").trim().to_owned(),
        needs_token: !is_open(&operation["security"]),
        parameters: items(&operation["parameters"])
            .map(read_parameter)
            .collect(),
        body: content(&operation["requestBody"]),
        answers: entries(&operation["responses"])
            .map(|(status, answer)| Answer {
                status: status.clone(),
                about: text(&answer["description"]),
                shape: content(answer),
            })
            .collect(),
    }
}

fn read_parameter(parameter: &Value) -> Parameter {
    Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        shape: shape(&parameter["schema"]),
        about: text(&parameter["description"]),
    }
}

fn read_type(name: &str, schema: &Value) -> Type {
    let required: Vec<&str> = items(&schema["required"])
        .filter_map(Value::as_str)
        .collect();
    let fields = entries(&schema["properties"]).map(|(name, field)| Field {
        name: name.clone(),
        shape: shape(field),
        required: required.contains(&name.as_str()),
        about: text(&field["description"]),
    });
    Type {
        name: name.to_owned(),
        about: text(&schema["description"]),
        fields: fields.collect(),
        words: items(&schema["enum"]).map(text).collect(),
    }
}

/// The first kind of content of a request or an answer.
fn content(of: &Value) -> Option<Shape> {
    let (_, first) = entries(&of["content"]).next()?;
    Some(shape(&first["schema"]))
}

fn shape(schema: &Value) -> Shape {
    let mut parts = Vec::new();
    describe(schema, &mut parts);
    Shape(parts)
}

fn describe(schema: &Value, parts: &mut Vec<Part>) {
    let word = |text: &str| Part::Word(text.to_owned());
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        parts.push(Part::Type(name.to_owned()));
        return;
    }
    for (several, between) in [("oneOf", "or"), ("anyOf", "or"), ("allOf", "and")] {
        for (n, one) in items(&schema[several]).enumerate() {
            if n > 0 {
                parts.push(word(between));
            }
            describe(one, parts);
        }
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => {
            parts.push(word("list of"));
            describe(&schema["items"], parts);
        }
        Value::String(kind) if kind == "object" && schema["properties"].is_object() => {
            describe_object(schema, parts);
        }
        Value::String(kind) => parts.push(Part::Word(with_format(kind, &schema["format"]))),
        Value::Array(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(text).collect();
            parts.push(Part::Word(with_format(
                &kinds.join(" or "),
                &schema["format"],
            )));
        }
        _ => {}
    }
}

/// An object without a name: what is around the results.
fn describe_object(schema: &Value, parts: &mut Vec<Part>) {
    parts.push(Part::Word("{".to_owned()));
    for (n, (name, field)) in entries(&schema["properties"]).enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        parts.push(Part::Word(format!("{comma}{name}:")));
        describe(field, parts);
    }
    parts.push(Part::Word("}".to_owned()));
}

fn with_format(kind: &str, format: &Value) -> String {
    match format.as_str() {
        Some(format) => format!("{kind} ({format})"),
        None => kind.to_owned(),
    }
}

fn text(of: &Value) -> String {
    of.as_str().unwrap_or_default().to_owned()
}

fn entries(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

fn items(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}
