//! A sequence of events as fixed-width bytes, so that a change of one byte changes one thing.

/// The first byte is the policy; then eight bytes an event, of which the first is its kind. Fixed places
/// keep the meaning of the rest when a fuzzer changes, adds or drops an event.
#[derive(Clone, Debug)]
pub struct Script {
    pub policy: u8,
    pub ops: Vec<Op>,
}

#[derive(Clone, Debug)]
pub enum Op {
    One(Act),
    /// Two at once; each bit of `order` says who goes on.
    Race {
        first: Act,
        second: Act,
        order: u16,
    },
    /// The process dies after so many steps, or the answer to its last commit is lost. Only of acts that end
    /// something, since what else it did could not be foretold afterwards.
    Lost {
        act: Act,
        steps: u8,
    },
    Pass {
        unit: u8,
        count: u8,
    },
    Back {
        seconds: u16,
    },
    Backup,
    Restore {
        which: u8,
    },
}

/// What somebody does. Tokens, sessions and challenges are counted from the newest.
#[derive(Clone, Debug)]
pub enum Act {
    Issue { who: u8, mode: u8, replay: u8, commits: bool, bound: bool, scope: u8 },
    Rotate { token: u8, next: Next, bend: Option<(u8, u8)>, client: u8, proof: Proof, scope: u8, challenge: Option<u8> },
    Authenticate { token: u8, bend: Option<(u8, u8)> },
    SignOut { token: u8, bend: Option<(u8, u8)> },
    Revoke { session: u8 },
    Amend { session: u8, scope: u8, claims: bool },
    RevokeAll { who: u8, keep: Option<u8> },
    Erase { who: u8 },
    List { who: u8 },
}

/// Which commitment comes with a rotation.
#[derive(Clone, Copy, Debug)]
pub enum Next {
    /// The one that the session's rule asks for, newly drawn where it is drawn.
    AsItShould,
    None,
    /// One that was drawn before.
    Drawn(u8),
}

#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// The one that the session asks for.
    AsItShould,
    None,
    OfKey {
        key: u8,
        nonce_of: Option<u8>,
    },
}

impl Script {
    /// `None` where there is no policy.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (&policy, rest) = data.split_first()?;
        let mut events = rest.as_chunks::<8>().0.iter();
        let mut ops = Vec::new();
        while let Some(event) = events.next() {
            let &[kind, a, b, c, ..] = event;
            ops.push(match kind % 16 {
                13 => match (events.next(), events.next()) {
                    (Some(first), Some(second)) => {
                        let order = u16::from_be_bytes([a, b]);
                        Op::Race { first: Act::parse(first), second: Act::parse(second), order }
                    }
                    _ => break,
                },
                14 => Op::Pass { unit: a, count: b },
                15 => match a % 4 {
                    0 => Op::Back { seconds: u16::from_be_bytes([b, c]) },
                    1 => Op::Backup,
                    2 => match events.next() {
                        Some(act) => Op::Lost { act: Act::parse(act), steps: b },
                        None => break,
                    },
                    _ => Op::Restore { which: b },
                },
                _ => Op::One(Act::parse(event)),
            });
        }
        Some(Self { policy, ops })
    }
}

impl Act {
    pub(super) fn parse(&[kind, a, b, c, d, e, f, g]: &[u8; 8]) -> Self {
        let bend = (d >= 240).then_some((e, f));
        let nth = |byte: u8| byte.checked_sub(1);
        match kind % 16 {
            0 | 1 => Self::Issue { who: a, mode: b, replay: c, commits: d & 1 == 1, bound: d & 2 == 2, scope: e },
            6 => Self::Authenticate { token: a, bend },
            7 => Self::SignOut { token: a, bend },
            8 => Self::Revoke { session: a },
            9 => Self::Amend { session: a, scope: b, claims: c & 1 == 1 },
            10 => Self::RevokeAll { who: a, keep: nth(b) },
            11 => Self::Erase { who: a },
            12 => Self::List { who: a },
            _ => Self::Rotate {
                token: a,
                next: match b % 8 {
                    7 => Next::Drawn(c),
                    6 => Next::None,
                    _ => Next::AsItShould,
                },
                bend,
                client: f,
                proof: match b / 8 % 8 {
                    7 => Proof::OfKey { key: c, nonce_of: nth(c / 2) },
                    6 => Proof::None,
                    _ => Proof::AsItShould,
                },
                // Zero asks for all that was granted.
                scope: e.wrapping_add(4),
                challenge: nth(g),
            },
        }
    }
}
