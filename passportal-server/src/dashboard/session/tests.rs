use passportal_client::envelope::{OrganizationKey, new_key_parameters};

use super::*;

fn opened() -> (Sessions, CookieJar, Arc<Session>) {
    let kek = OrganizationKey::new("correct horse battery staple");
    let kek = kek.derive(&new_key_parameters(Uuid::new_v4())).unwrap();
    let person = Person {
        id: Uuid::new_v4(),
        email: "ada@msp.example".to_owned(),
    };
    let identified = Identified {
        person,
        generation: 0,
    };
    let session = Arc::new(Session::new(identified, kek, String::new()));
    let sessions = Sessions::default();
    let cookie = sessions.open(Arc::clone(&session), Transport::Tls);
    (sessions, CookieJar::new().add(cookie), session)
}

#[test]
fn a_session_without_a_request_for_half_an_hour_is_over() {
    let (sessions, jar, session) = opened();
    let begun = session.beginning.since;
    let almost = begun + Duration::from_mins(29);
    assert!(sessions.find_at(&jar, almost).is_some());
    let again = almost + Duration::from_mins(29);
    assert!(sessions.find_at(&jar, again).is_some());
    assert!(sessions.find_at(&jar, again + IDLE).is_none());
}

#[test]
fn a_session_in_use_is_over_after_twelve_hours_whatever_its_cookie() {
    let (sessions, mut jar, session) = opened();
    let begun = session.beginning.since;
    let mut session = session;
    for minutes in (20..12 * 60).step_by(20) {
        (jar, session) = sessions.renew(jar, &session, None, Transport::Tls);
        let now = begun + Duration::from_mins(minutes);
        assert!(sessions.find_at(&jar, now).is_some(), "{minutes}");
    }
    assert!(sessions.find_at(&jar, begun + LONGEST).is_none());
}

#[test]
fn a_renewed_session_has_another_cookie_and_other_forms_and_the_old_cookie_is_worth_nothing() {
    let (sessions, jar, session) = opened();
    let old = jar.clone();
    let (renewed, anew) = sessions.renew(jar, &session, Some(1), Transport::Tls);
    let now = Instant::now();
    assert!(sessions.find_at(&old, now).is_none());
    let found = sessions.find_at(&renewed, now).unwrap();
    assert!(Arc::ptr_eq(&found, &anew));
    assert!(!anew.is_own_form(session.csrf()));
    assert_eq!(anew.beginning.id, session.beginning.id);
    assert_eq!(sessions.of_person(session.person.id, None).len(), 1);
    assert!(sessions.end(session.person.id, session.beginning.id));
    assert!(sessions.find_at(&renewed, now).is_none());
}

#[test]
fn a_session_of_an_earlier_generation_leaves_memory() {
    let (sessions, jar, session) = opened();
    let now = Instant::now();
    let (person, stranger) = (session.person.id, Uuid::new_v4());
    sessions.end_older(&Generations::from([(person, 0), (stranger, 1)]));
    assert!(sessions.find_at(&jar, now).is_some());
    sessions.end_older(&Generations::from([(person, 1)]));
    assert!(sessions.find_at(&jar, now).is_none());
    assert!(sessions.of_person(person, None).is_empty());
}
