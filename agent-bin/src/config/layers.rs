//! Lays the command line over the environment over the file, and remembers which said what.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::{ConfigError, Place, Problem};
use super::key_path::{KeyPath, Segment, line_of};
use super::raw::Raw;
use super::{DEFAULT_PATH, ENVIRONMENT_PREFIX};

/// Keys that the command line sets.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(String, String, String)>);

impl Overrides {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets `key` (`passportal.base_url`, `client.0.microsoft.tenant`); mistakes are blamed on `option`.
    #[must_use]
    pub fn set(mut self, option: &str, key: &str, value: impl Into<String>) -> Self {
        self.0
            .push((option.to_owned(), key.to_owned(), value.into()));
        self
    }
}

/// One value that does not come from the file.
struct Setting {
    place: Place,
    value: Value,
}

/// The file, and what lies over it.
pub(super) struct Layers {
    path: PathBuf,
    text: String,
    file: Table,
    over: BTreeMap<KeyPath, Setting>,
}

/// What does not come from the file, each with its place.
fn laid_over(
    env: impl IntoIterator<Item = (String, String)>,
    overrides: Overrides,
) -> Result<BTreeMap<KeyPath, Setting>, ConfigError> {
    let mut over = BTreeMap::new();
    for (name, value) in env {
        let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
            continue;
        };
        let key = KeyPath::parse(key, "__");
        insert(&mut over, key, Place::Variable(name), &value)?;
    }
    for (option, key, value) in overrides.0 {
        let key = KeyPath::parse(&key, ".");
        insert(&mut over, key, Place::Option(option), &value)?;
    }
    Ok(over)
}

impl Layers {
    /// Reads all of them and checks each on its own, so that a mistake is blamed on its place.
    pub(super) fn read(
        path: &Path,
        env: impl IntoIterator<Item = (String, String)>,
        overrides: Overrides,
    ) -> Result<Self, ConfigError> {
        let over = laid_over(env, overrides)?;
        let text = match read_text(path)? {
            Some(text) => text,
            None if path == Path::new(DEFAULT_PATH) && !over.is_empty() => String::new(),
            None => {
                return Err(ConfigError::NotFound {
                    path: path.to_owned(),
                });
            }
        };
        let file = read_table(path, &text)?;
        Ok(Self {
            path: path.to_owned(),
            text,
            file,
            over,
        })
    }

    /// Only the command line, for a file at `path` that is yet to be written.
    pub(super) fn of_options(path: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        Ok(Self {
            path: path.to_owned(),
            text: String::new(),
            file: Table::new(),
            over: laid_over([], overrides)?,
        })
    }

    /// All of them in one.
    pub(super) fn merged(&self) -> Result<Raw, ConfigError> {
        let mut merged = Value::Table(self.file.clone());
        for (key, setting) in &self.over {
            put(&mut merged, &key.0, setting.value.clone()).map_err(|why| {
                Problem::new(key.clone(), why, COUNT_HINT).at(setting.place.clone())
            })?;
        }
        deserialize(merged).map_err(|problem| self.locate(problem))
    }

    /// Says where the mistake stands: at the layer that has most of the key's path, which for a
    /// key that is missing is the one that began its table.
    pub(super) fn locate(&self, problem: Problem) -> ConfigError {
        let key = &problem.key;
        let found = key.find_in(&self.text);
        let steps = found.map_or(0, |found| found.steps);
        let file = Place::File {
            path: self.path.clone(),
            line: found.map(|found| found.line),
        };
        let nearest = self
            .over
            .iter()
            .max_by_key(|(over, _)| key.common_with(over));
        let place = match nearest {
            Some((over, setting)) if over == key || key.common_with(over) > steps => {
                setting.place.clone()
            }
            _ => file,
        };
        problem.at(place)
    }
}

const COUNT_HINT: &str = "count clients from 0 and leave none out";

/// `None` where there is no such file.
fn read_text(path: &Path) -> Result<Option<String>, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConfigError::NotReadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads the file as a table, once it is known that every key and value in it has its right form.
fn read_table(path: &Path, text: &str) -> Result<Table, ConfigError> {
    let place = |line| Place::File {
        path: path.to_owned(),
        line,
    };
    let line_at = |error: &toml::de::Error| error.span().map(|span| line_of(text, span.start));
    let document = toml::Deserializer::parse(text)
        .map_err(|error| not_toml(text, &error).at(place(line_at(&error))))?;
    if let Err(error) = serde_path_to_error::deserialize::<_, Raw>(document) {
        let key = KeyPath::from(error.path());
        let line = line_at(error.inner());
        return Err(Problem::from_serde(key, error.inner().message()).at(place(line)));
    }
    toml::from_str(text).map_err(|error| {
        Problem::new(KeyPath::default(), error.message(), "").at(place(line_at(&error)))
    })
}

/// The key is named where the mistake is the key itself; a value may be a secret and is not repeated.
fn not_toml(text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().replace('\n', " ");
    let twice = (message == "duplicate key")
        .then(|| text.get(error.span()?))
        .flatten();
    let (what, hint) = match twice {
        Some(key) => (format!("duplicate key `{key}`"), "leave one of the two out"),
        None => (message, "put text in quotes, one `key = value` a line"),
    };
    Problem::new(KeyPath::default(), format!("not valid TOML: {what}"), hint)
}

fn insert(
    over: &mut BTreeMap<KeyPath, Setting>,
    key: Option<KeyPath>,
    place: Place,
    text: &str,
) -> Result<(), ConfigError> {
    let Some(key) = key else {
        let hint =
            "write the key's path with __ between its parts, as in PASSPORTAL_SYNC__INTERVAL";
        return Err(Problem::new(KeyPath::default(), "unknown key", hint).at(place));
    };
    let value = typed(&key, text).map_err(|mut problem| {
        // The value was looked at as if it were of the first client.
        problem.key = problem.key.with_indices_of(&key);
        problem.at(place.clone())
    })?;
    over.insert(key, Setting { place, value });
    Ok(())
}

/// A variable is text; what its key wants is found by trying text, then a number or a truth value.
fn typed(key: &KeyPath, text: &str) -> Result<Value, Problem> {
    let as_text = Value::String(text.to_owned());
    let Err(problem) = alone(key, as_text.clone()) else {
        return Ok(as_text);
    };
    let literal = match (text.parse::<i64>(), text.parse::<bool>()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(truth)) => Value::Boolean(truth),
        _ => return Err(problem),
    };
    alone(key, literal.clone()).map(|()| literal)
}

/// Whether a configuration of nothing else would be well-formed.
fn alone(key: &KeyPath, value: Value) -> Result<(), Problem> {
    let mut document = Value::Table(Table::new());
    let path = key.with_first_items();
    put(&mut document, &path.0, value).map_err(|why| Problem::new(key.clone(), why, COUNT_HINT))?;
    deserialize(document).map(drop)
}

fn deserialize(document: Value) -> Result<Raw, Problem> {
    serde_path_to_error::deserialize(document)
        .map_err(|error| Problem::from_serde(KeyPath::from(error.path()), error.inner().message()))
}

/// Sets the value at `path`, making the tables and the next list item on the way.
fn put(at: &mut Value, path: &[Segment], value: Value) -> Result<(), &'static str> {
    let Some((segment, rest)) = path.split_first() else {
        *at = value;
        return Ok(());
    };
    let fresh = match rest.first() {
        Some(Segment::Index(_)) => Value::Array(Vec::new()),
        Some(Segment::Key(_)) => Value::Table(Table::new()),
        None => value.clone(),
    };
    let inner = match (segment, at) {
        (Segment::Key(key), Value::Table(table)) => table.entry(key.clone()).or_insert(fresh),
        (Segment::Index(index), Value::Array(items)) => {
            if *index == items.len() {
                items.push(fresh);
            }
            items.get_mut(*index).ok_or("there is no item before it")?
        }
        _ => return Err("unknown key"),
    };
    put(inner, rest, value)
}
