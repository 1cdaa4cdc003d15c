//! `passportal flags`: what asks for a person's attention.

use passportal_client::PersonSession;
use passportal_client::wire::{FlagQuery, FlaggedCredential};
use serde::Serialize;
use uuid::Uuid;

use crate::arguments::{ClearFlags, FlagsCommand, Global, ListFlags};
use crate::ending::Ending;
use crate::output::{Output, Paint, Sheet, Shown, Tone, time};
use crate::{lookup, session};

#[derive(Debug, Serialize)]
struct Flags {
    flags: Vec<FlaggedCredential>,
}

/// The flags that were cleared.
#[derive(Debug, Serialize)]
struct Cleared {
    cleared: Vec<FlaggedCredential>,
}

impl Shown for Flags {
    fn text(&self, paint: Paint) -> String {
        table(&self.flags, paint).text_or("no flags")
    }
}

impl Shown for Cleared {
    fn text(&self, paint: Paint) -> String {
        let table = table(&self.cleared, paint).text_or("no flag stood");
        match self.cleared.len() {
            0 => table,
            1 => format!("{table}\ncleared 1 flag, until what it stands for changes"),
            count => format!("{table}\ncleared {count} flags, until what they stand for changes"),
        }
    }
}

fn table(flags: &[FlaggedCredential], paint: Paint) -> Sheet {
    let mut sheet = Sheet::new(paint, &["client", "account", "flag", "since", "why"]);
    for flag in flags {
        sheet.row([
            (flag.client_name.clone(), Tone::Normal),
            (flag.user_name.clone(), Tone::Normal),
            (flag.kind.label().to_owned(), Tone::Bad),
            (time(flag.raised), Tone::Normal),
            (flag.flag.why.clone(), Tone::Normal),
        ]);
    }
    sheet
}

pub(super) async fn run(
    command: &FlagsCommand,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let person = session::resume(global.session.as_deref())?;
    match command {
        FlagsCommand::List(options) => {
            let flags = list(&person, options).await?;
            output.show(&Flags { flags })?;
        }
        FlagsCommand::Clear(options) => {
            let cleared = clear(&person, options).await?;
            output.show(&Cleared { cleared })?;
        }
    }
    Ok(Ending::Done)
}

async fn list(
    person: &PersonSession,
    options: &ListFlags,
) -> anyhow::Result<Vec<FlaggedCredential>> {
    let client = match &options.client {
        Some(name) => Some(lookup::client(person, name).await?.id),
        None => None,
    };
    let query = FlagQuery {
        client,
        kind: options.kind.map(Into::into),
    };
    let mut flags = person.flags(&query).await?;
    flags.sort_by(|one, other| {
        let key = |it: &FlaggedCredential| (it.client_name.clone(), it.user_name.clone(), it.kind);
        key(one).cmp(&key(other))
    });
    Ok(flags)
}

async fn clear(
    person: &PersonSession,
    options: &ClearFlags,
) -> anyhow::Result<Vec<FlaggedCredential>> {
    let only = only(person, options).await?;
    let mut cleared = Vec::new();
    for flag in list(person, &options.which).await? {
        if only.is_none_or(|id| id == flag.credential)
            && person.clear_flag(flag.credential, flag.kind).await?.stood
        {
            cleared.push(flag);
        }
    }
    Ok(cleared)
}

/// The one credential whose flags are meant; `None` means all.
async fn only(person: &PersonSession, options: &ClearFlags) -> anyhow::Result<Option<Uuid>> {
    let Some(wanted) = &options.credential else {
        return Ok(None);
    };
    let client = options.which.client.as_deref();
    Ok(Some(lookup::credential(person, wanted, client).await?.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use passportal_client::wire::{Flag, FlagKind};

    fn a_flag() -> FlaggedCredential {
        FlaggedCredential {
            credential: Uuid::from_u128(1),
            client: Uuid::from_u128(2),
            client_name: "Contoso".into(),
            user_name: "anna@contoso.com".into(),
            kind: FlagKind::AdChange,
            flag: Flag {
                version: 1,
                stamp: None,
                why: "Entra ID does not accept the vault's password".into(),
            },
            raised: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_tables_of_flags_are_as_reviewed() {
        let flags = Flags {
            flags: vec![a_flag()],
        };
        insta::assert_snapshot!(flags.text(Paint::Plain));
        let cleared = Cleared {
            cleared: vec![a_flag(), a_flag()],
        };
        insta::assert_snapshot!(cleared.text(Paint::Plain));
        let none = Cleared {
            cleared: Vec::new(),
        };
        assert_eq!(none.text(Paint::Plain), "no flag stood");
    }
}
