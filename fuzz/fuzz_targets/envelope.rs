//! An envelope opens in its own place and as it was sealed, and nothing else opens.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use passportal_client::envelope::{DataKey, Field, Place};
use passportal_client::wire::SealedText;
use sync_engine::model::Password;
use uuid::Uuid;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    foreign: &'a str,
    clear: &'a str,
    user_name: &'a str,
    other_user_name: &'a str,
    credential: u128,
    version: u64,
    is_totp: bool,
    damage: (u16, u8),
}

static KEY: LazyLock<DataKey> = LazyLock::new(|| DataKey::generate(Uuid::nil(), Uuid::max()));

fuzz_target!(|input: Input<'_>| {
    let place = place(&input);
    let foreign = SealedText(input.foreign.to_owned());
    assert!(KEY.open(&place, &foreign).is_err());

    let sealed = KEY.seal(&place, &Password::new(input.clear));
    let opened = KEY.open(&place, &sealed).unwrap();
    assert_eq!(opened.expose(), input.clear);
    for elsewhere in elsewhere(&input, place) {
        assert!(KEY.open(&elsewhere, &sealed).is_err(), "{elsewhere:?}");
    }
    let damaged = damage(&sealed, input.damage);
    assert!(damaged == sealed || KEY.open(&place, &damaged).is_err());
});

fn place<'a>(input: &Input<'a>) -> Place<'a> {
    Place {
        credential: Uuid::from_u128(input.credential),
        field: if input.is_totp {
            Field::Totp
        } else {
            Field::Password
        },
        version: input.version,
        user_name: input.user_name,
    }
}

fn elsewhere<'a>(input: &Input<'a>, here: Place<'a>) -> Vec<Place<'a>> {
    let field = if input.is_totp {
        Field::Password
    } else {
        Field::Totp
    };
    let credential = Uuid::from_u128(!input.credential);
    let version = input.version.wrapping_add(1);
    let mut places = vec![
        Place { field, ..here },
        Place { credential, ..here },
        Place { version, ..here },
    ];
    if input.other_user_name != input.user_name {
        places.push(Place {
            user_name: input.other_user_name,
            ..here
        });
    }
    places
}

/// Another letter somewhere.
fn damage(sealed: &SealedText, (at, with): (u16, u8)) -> SealedText {
    let mut text = sealed.0.clone().into_bytes();
    let at = usize::from(at) % text.len();
    text[at] = with & 0x7f;
    SealedText(String::from_utf8(text).unwrap())
}
