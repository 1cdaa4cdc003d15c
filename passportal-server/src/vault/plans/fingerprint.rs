//! What the id of a held plan stands for: its writes, whatever words tell of them and in whatever order.

use jiff::Timestamp;
use passportal_client::wire::{HeldPlan, HeldWrite, SyncMode};
use sha2::{Digest as _, Sha256};

/// A change of the encoding needs another one: plans of before would be refused.
const ENCODING: &[u8] = b"held plan 1";

/// Bytes of one write: two ids, version, mode, whether there is a stamp, and the stamp.
const LENGTH: usize = 16 + 16 + 8 + 1 + 1 + 16;

/// The fingerprint of a plan's writes, and of how many there are beside those that are listed. Names and reasons are
/// the agent's wording: the next version may put them differently.
pub(super) fn fingerprint(plan: &HeldPlan) -> String {
    let mut writes: Vec<_> = plan.writes.iter().map(encoded).collect();
    writes.sort_unstable();
    let mut hash = Sha256::new()
        .chain_update(ENCODING)
        .chain_update(plan.total.to_be_bytes());
    for write in &writes {
        hash.update(write);
    }
    hex::encode(hash.finalize())
}

fn encoded(write: &HeldWrite) -> [u8; LENGTH] {
    let stamp = write.stamp.map(Timestamp::as_nanosecond);
    let mut bytes = [0; LENGTH];
    let fields = [
        write.credential.as_bytes().as_slice(),
        write.object.as_bytes(),
        &write.version.to_be_bytes(),
        &[mode(write.mode), u8::from(stamp.is_some())],
        &stamp.unwrap_or_default().to_be_bytes(),
    ];
    for (byte, field) in bytes.iter_mut().zip(fields.concat()) {
        *byte = field;
    }
    bytes
}

/// Numbers of our own: the order of the variants may change.
fn mode(mode: SyncMode) -> u8 {
    match mode {
        SyncMode::Off => 0,
        SyncMode::ReportMismatches => 1,
        SyncMode::Enabled => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passportal_client::wire::PlanStanding;
    use uuid::Uuid;

    fn write(credential: u128) -> HeldWrite {
        HeldWrite {
            credential: Uuid::from_u128(credential),
            user_name: "anna@contoso.com".into(),
            version: 7,
            mode: SyncMode::Enabled,
            why: "the password changed in the vault".into(),
            object: Uuid::from_u128(0xB),
            stamp: Some(Timestamp::UNIX_EPOCH),
        }
    }

    fn of(writes: &[HeldWrite]) -> String {
        fingerprint(&HeldPlan {
            id: Uuid::from_u128(1),
            at: Timestamp::UNIX_EPOCH,
            allowed: 3,
            total: 2,
            writes: writes.to_vec(),
            standing: PlanStanding::Waiting,
        })
    }

    #[test]
    fn the_encoding_is_the_same_for_ever() {
        let known = "0393660654f35d8bdd3eec2563ac21aa7c756ed878e366e07eefe6a0dde5502c";
        assert_eq!(of(&[write(1), write(2)]), known);
    }

    #[test]
    fn words_and_order_do_not_matter() {
        let reworded = HeldWrite {
            why: "somebody typed a new one".into(),
            user_name: "Anna@Contoso.com".into(),
            ..write(2)
        };
        assert_eq!(of(&[reworded, write(1)]), of(&[write(1), write(2)]));
    }

    #[test]
    fn every_fact_of_a_write_matters() {
        let same = of(&[write(1)]);
        let others = [
            write(2),
            HeldWrite {
                version: 8,
                ..write(1)
            },
            HeldWrite {
                mode: SyncMode::ReportMismatches,
                ..write(1)
            },
            HeldWrite {
                object: Uuid::from_u128(0xC),
                ..write(1)
            },
            HeldWrite {
                stamp: None,
                ..write(1)
            },
            HeldWrite {
                stamp: Some(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_nanos(1)),
                ..write(1)
            },
        ];
        for other in others {
            assert_ne!(of(std::slice::from_ref(&other)), same, "{other:?}");
        }
        assert_ne!(of(&[write(1), write(2)]), same);
    }
}
