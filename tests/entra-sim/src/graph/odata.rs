//! The `OData` query options that the simulated calls honour, and how the others are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::GraphError;

/// Graph's limits of one page. Source: Microsoft Graph paging, List users.
const LARGEST_PAGE: usize = 999;

/// `OData`'s own options; v1.0 takes them with and without the `$`.
const OPTIONS: [&str; 9] = [
    "select",
    "filter",
    "top",
    "skip",
    "skiptoken",
    "deltatoken",
    "count",
    "orderby",
    "expand",
];

/// A parsed query string.
#[derive(Debug, Default)]
pub(super) struct Query {
    options: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        let options = pairs.map(|(name, value)| {
            (
                name.trim_start_matches('$').to_lowercase(),
                value.into_owned(),
            )
        });
        Self {
            options: options.collect(),
        }
    }

    /// An option by its name without the `$`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses the `OData` options that a call does not honour, rather than answering something else.
    pub(super) fn allow(&self, honoured: &[&str]) -> Result<(), GraphError> {
        let refused = |name: &str| OPTIONS.contains(&name) && !honoured.contains(&name);
        match self.options.iter().find(|(name, _)| refused(name)) {
            Some((name, _)) => Err(GraphError::unsupported_query(format!(
                "The query option '${name}' is not supported here."
            ))),
            None => Ok(()),
        }
    }

    /// `$top`, within Graph's limits.
    pub(super) fn top(&self) -> Result<Option<usize>, GraphError> {
        self.get("top").map(page_size).transpose()
    }

    /// The names in `$select`, none when the option is absent.
    pub(super) fn select(&self) -> Option<Vec<&str>> {
        let names = self
            .get("select")?
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        Some(names)
    }
}

fn page_size(text: &str) -> Result<usize, GraphError> {
    let size = text
        .parse()
        .ok()
        .filter(|size| (1..=LARGEST_PAGE).contains(size));
    size.ok_or_else(|| {
        GraphError::unsupported_query(format!(
            "Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive."
        ))
    })
}

/// The page size of a `Prefer` header, which is a wish: out of range it is moved into it.
pub(super) fn wished_page_size(wish: usize) -> usize {
    wish.clamp(1, LARGEST_PAGE)
}

/// A token that clients carry without reading it.
pub(super) fn opaque<T: Serialize>(state: &T) -> String {
    let text = serde_json::to_string(state).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(text)
}

/// What [`opaque`] wrapped; none for anything else.
pub(super) fn opened<T: DeserializeOwned>(token: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The `$filter` forms that are simulated: comparisons for equality, joined by `or`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    /// Property and value of each comparison.
    pub(super) any_of: Vec<(String, String)>,
}

impl Filter {
    /// Reads `property eq 'value'` and `property in ('a','b')`, joined by `or`.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let tokens = tokens(text);
        let mut rest = tokens.as_slice();
        let mut any_of = Vec::new();
        loop {
            rest = comparison(rest, &mut any_of).ok_or_else(|| invalid(text))?;
            match rest {
                [] => return Ok(Self { any_of }),
                [Token::Word(or), tail @ ..] if or.eq_ignore_ascii_case("or") => rest = tail,
                _ => return Err(invalid(text)),
            }
        }
    }
}

/// A part of a `$filter`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Literal(String),
    Mark(char),
}

/// Takes one comparison off the front and returns what follows it.
fn comparison<'t>(tokens: &'t [Token], any_of: &mut Vec<(String, String)>) -> Option<&'t [Token]> {
    let [Token::Word(property), Token::Word(operator), rest @ ..] = tokens else {
        return None;
    };
    match (operator.as_str(), rest) {
        ("eq", [Token::Literal(value) | Token::Word(value), rest @ ..]) => {
            any_of.push((property.clone(), value.clone()));
            Some(rest)
        }
        ("in", [Token::Mark('('), rest @ ..]) => {
            let end = rest.iter().position(|token| *token == Token::Mark(')'))?;
            let values = rest.get(..end)?.iter().filter_map(|token| match token {
                Token::Literal(value) => Some((property.clone(), value.clone())),
                _ => None,
            });
            any_of.extend(values);
            rest.get(end + 1..)
        }
        _ => None,
    }
}

/// Words, quoted literals (a doubled quote stands for one) and marks.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        match first {
            ' ' => {}
            '(' | ')' | ',' => tokens.push(Token::Mark(first)),
            '\'' => {
                let mut literal = String::new();
                while let Some(next) = characters.next() {
                    if next == '\'' && characters.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    literal.push(next);
                }
                tokens.push(Token::Literal(literal));
            }
            _ => {
                let mut word = String::from(first);
                while let Some(next) = characters.next_if(|next| !" (),'".contains(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    tokens
}

pub(super) fn invalid(text: &str) -> GraphError {
    GraphError::bad_request(format!(
        "Invalid filter clause: the simulator does not understand `{text}`."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_equality_lists_and_doubled_quotes() {
        let filter =
            Filter::parse("userPrincipalName eq 'o''hara@contoso.com' or id in ('1','2')").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            filter.any_of,
            [
                pair("userPrincipalName", "o'hara@contoso.com"),
                pair("id", "1"),
                pair("id", "2")
            ]
        );
    }

    #[test]
    fn a_filter_beyond_equality_is_refused() {
        for text in [
            "",
            "startswith(displayName,'a')",
            "id ne '1'",
            "id eq '1' and id eq '2'",
            "id eq",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_option_that_a_call_does_not_honour_is_refused() {
        assert!(
            Query::parse("$select=id&api-version=1")
                .allow(&["select"])
                .is_ok()
        );
        assert!(Query::parse("%24orderby=id").allow(&["select"]).is_err());
    }
}
