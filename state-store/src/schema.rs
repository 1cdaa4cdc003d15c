//! Migrations as lists that only grow.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A number, a few words, and the text. What was released is never edited: its checksum stands in
/// every state.
pub(crate) type Step = (i64, &'static str, &'static str);

/// Carries a database through the steps that it has not seen yet.
pub(crate) fn migrator(steps: &[Step]) -> Migrator {
    let migrations = steps.iter().map(|&(version, description, sql)| {
        Migration::new(
            version,
            Cow::Borrowed(description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}
