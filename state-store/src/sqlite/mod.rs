//! The state in one file of `SQLite`'s.

mod fault;
mod file;
mod lock;
mod path;
mod tables;

pub(crate) use file::StateFile;
pub(crate) use tables::StateFileTables;

#[cfg(test)]
mod tests;
