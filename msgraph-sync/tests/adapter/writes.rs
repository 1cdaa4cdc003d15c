//! The one write, alone and several at once.

use sync_engine::model::{BlockedReason, ObjectId, Password, Verdict};
use sync_engine::ports::{Directory, PasswordWrite, SetPassword};

use crate::world::{READER, directory, directory_of, find, id_of, nobody, set, verdict};

fn write(object: ObjectId, password: &str) -> PasswordWrite {
    let password = Password::new(password);
    PasswordWrite { object, password }
}

#[tokio::test]
async fn each_refusal_of_a_write_is_told_apart() {
    let directory = directory();
    let refused = |why| SetPassword::Refused(why);
    let weak = set(&directory, "mia@contoso.com", "contoso-Contoso-1").await;
    assert_eq!(weak, refused(BlockedReason::Rejected));
    let hybrid = set(&directory, "hybrid@contoso.com", "Hybrid-fixture-2").await;
    assert_eq!(hybrid, refused(BlockedReason::OnPremises));
    let global = set(&directory, "global@contoso.com", "Global-fixture-2").await;
    assert_eq!(global, refused(BlockedReason::NotAllowed));
    let password = Password::new("Nobody-fixture-1");
    let gone = directory.set_password(nobody(), &password).await;
    assert_eq!(gone, SetPassword::Gone);
}

#[tokio::test]
async fn of_several_writes_at_once_each_is_told_apart_in_their_order() {
    let directory = directory();
    let all = directory.changes(None).await.unwrap();
    let id = |name: &str| find(&all, name).id;
    let writes = [
        write(id("carl@contoso.com"), "Carl-fixture-2"),
        write(id("mia@contoso.com"), "contoso-Contoso-2"),
        write(nobody(), "Nobody-fixture-2"),
        write(id("hybrid@contoso.com"), "Hybrid-fixture-3"),
        write(id("global@contoso.com"), "Global-fixture-3"),
        write(id("dora@contoso.com"), "Dora-fixture-2"),
    ];
    let told = directory.set_passwords(&writes).await;
    assert!(matches!(told[0], SetPassword::Accepted(_)), "{told:?}");
    assert_eq!(told[1], SetPassword::Refused(BlockedReason::Rejected));
    assert_eq!(told[2], SetPassword::Gone);
    assert_eq!(told[3], SetPassword::Refused(BlockedReason::OnPremises));
    assert_eq!(told[4], SetPassword::Refused(BlockedReason::NotAllowed));
    assert!(matches!(told[5], SetPassword::Accepted(_)), "{told:?}");
    for (name, password) in [
        ("carl@contoso.com", "Carl-fixture-2"),
        ("dora@contoso.com", "Dora-fixture-2"),
    ] {
        let accepted = verdict(&directory, name, password).await;
        assert_eq!(accepted, Verdict::Match, "{name}");
        let now = directory.account(id(name)).await.unwrap().unwrap();
        assert!(now.stamp > find(&all, name).stamp, "{name}");
    }
    let used = directory.limit_use();
    assert_eq!((used.writes, used.writes_put_off), (6, 0));
    assert_eq!(used.throttled_writes, 0);
}

#[tokio::test]
async fn an_app_without_the_permission_may_read_and_not_write() {
    let reader = directory_of(READER);
    let refused = SetPassword::Refused(BlockedReason::NotAllowed);
    let alone = set(&reader, "off@contoso.com", "Off-fixture-2").await;
    assert_eq!(alone, refused);
    let writes = [
        write(id_of(&reader, "off@contoso.com").await, "Off-fixture-2"),
        write(id_of(&reader, "mia@contoso.com").await, "Mia-fixture-2"),
    ];
    let several = reader.set_passwords(&writes).await;
    assert_eq!(several, [refused.clone(), refused]);
}
