//! Sessions, tokens and contexts to decide about, without any cryptography: commitments are their names.

use safeconduct_core::secret::{Commitment, KeyId};
use safeconduct_core::session::event::{Context, Presented, Rotate, Successor, ViewFacts};
use safeconduct_core::session::policy::Policy;
use safeconduct_core::session::state::{Entitlement, Late, Mode, Replay, Session, State, Subject, Terms, Window};
use safeconduct_core::time::{Seconds, Timestamp};

/// When the sample session was issued.
pub const START: u64 = 1_700_000_000_000;

pub fn at(millis_after_start: u64) -> Timestamp {
    Timestamp::from_millis(START + millis_after_start)
}

/// The commitment of generation `n` of a branch.
pub fn secret(branch: u8, n: u32) -> Commitment {
    let mut bytes = [branch; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Commitment(bytes)
}

pub const fn window(width: u64, late: Late) -> Replay {
    Replay::Window(Window { width: Seconds::new(width), late })
}

/// A session at `generation`, rotated ten minutes after it was issued.
pub fn session(mode: Mode, replay: Replay, generation: u32) -> Session {
    Session {
        terms: Terms {
            key: KeyId(1),
            mode,
            replay,
            salt: [5; 16],
            subject: "user-1".into(),
            client_id: "web".into(),
            device: None,
            ip: None,
            thumbprint: (replay == Replay::Bound).then_some([8; 32]),
            issued_at: at(0),
            absolute_deadline: at(0).plus(Seconds::days(180)),
            global_epoch: 0,
        },
        entitlement: Entitlement { scope: "read write".into(), claims: Default::default() },
        state: State {
            revoked: None,
            epoch: 7,
            claims_version: 0,
            generation,
            current: secret(1, generation),
            previous: generation.checked_sub(1).map_or([0; 16], |parent| secret(1, parent).half()),
            rotated_at: at(600_000),
            idle_deadline: at(600_000).plus(Seconds::days(30)),
        },
    }
}

pub const SUBJECT: Subject = Subject { epoch: 7, erased: false, issued: 1, gc_at: Timestamp::from_millis(u64::MAX) };

pub fn token(branch: u8, generation: u32) -> Presented {
    Presented { generation, commitment: secret(branch, generation), sealed: true }
}

/// The request of an honest client that holds `token`.
pub fn rotate(replay: Replay, presented: Presented) -> Rotate<'static> {
    let next = secret(1, presented.generation + 1);
    let proof = safeconduct_core::session::event::Proof { thumbprint: [8; 32], carries_nonce: true };
    Rotate {
        presented,
        successor: if replay == Replay::Committed { Successor::Offered(next) } else { Successor::Derived(next) },
        client_id: Some("web"),
        proof: (replay == Replay::Bound).then_some(proof),
        scope: None,
        challenged: false,
    }
}

pub fn context(policy: &Policy, now: Timestamp) -> Context<'_> {
    Context { now, policy, view: ViewFacts::default() }
}
