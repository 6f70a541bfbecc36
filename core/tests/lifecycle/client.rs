//! The client as a table and as a diagram, from the code: every phase is reached by events that a host can
//! send, then meets each event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use safeconduct_core::client::action::{Action, Notice, Request, Step};
use safeconduct_core::client::event::{Context, Event, Fault, Given, Granted, Issued, NewAccess, Reply, SignedIn};
use safeconduct_core::client::invariants::Before;
use safeconduct_core::client::policy::Policy;
use safeconduct_core::client::record::Version;
use safeconduct_core::client::{Attempt, Phase, State, Why, transition};
use safeconduct_core::id::SessionId;
use safeconduct_core::secret::Secret;
use safeconduct_core::session::exchange::Entropy;
use safeconduct_core::time::Seconds;
use safeconduct_core::token::receipt::Receipt;
use safeconduct_core::token::refresh::Token;
use zeroize::Zeroizing;

use crate::sample::at;

const EVENTS: [&str; 23] = [
    "Wake",
    "Reconnect",
    "Ask",
    "Ask, the access token is expired",
    "Reject",
    "SignIn",
    "SignOut",
    "Loaded: as expected",
    "Loaded: a newer generation",
    "Loaded: nothing",
    "Loaded: of a newer version",
    "Unreadable",
    "Written",
    "Conflict",
    "Unwritten",
    "Replied: granted",
    "Replied: a receipt only",
    "Replied: superseded",
    "Replied: ended",
    "Replied: later",
    "Lost",
    "Revoked",
    "Unrevoked",
];

/// The server's half of a token, as it would look; nothing here asks whether its tag is right.
fn receipt(session: u8, generation: u32) -> Receipt {
    let mut bytes = vec![1u8];
    bytes.extend_from_slice(&[session; 16]);
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&[3; 32]);
    let text = safeconduct_core::encoding::base64url::encode(&bytes);
    Receipt::parse(&format!("scs1_{text}")).unwrap()
}

fn attempt(generation: u32) -> Attempt {
    Attempt { session: SessionId::from_bytes([2; 16]), generation }
}

fn access() -> Option<NewAccess> {
    Some(NewAccess { token: Zeroizing::new("access".into()), expires_in: Seconds::new(600) })
}

/// A client with the storage that it works on.
struct Sample {
    state: State,
    stored: Option<Vec<u8>>,
    writes: Option<Option<Vec<u8>>>,
    seed: u8,
    /// Seconds since the sign-in.
    now: u64,
}

impl Sample {
    fn new() -> Self {
        Self { state: State::new(), stored: None, writes: None, seed: 0, now: 0 }
    }

    fn feed(&mut self, event: Event) -> Step {
        let policy = Policy::default();
        self.seed += 1;
        let mut entropy = Entropy::from_seed([self.seed; 32]);
        let mut context = Context { now: at(self.now * 1000), policy: &policy, entropy: &mut entropy };
        let state = std::mem::take(&mut self.state);
        let before = Before::of(&state, &event);
        let step = transition(state, event, &mut context);
        assert_eq!(before.step(&step), Ok(()));
        for action in &step.actions {
            if let Action::Persist { record, .. } = action {
                self.writes = Some(record.as_ref().map(|bytes| bytes.to_vec()));
            }
        }
        step
    }

    fn then(mut self, event: Event) -> Self {
        let step = self.feed(event);
        self.state = step.state;
        self
    }

    fn loaded(self) -> Self {
        let stored = self.stored.clone().map(Zeroizing::new);
        self.then(Event::Loaded(stored))
    }

    fn written(mut self) -> Self {
        self.stored = self.writes.take().unwrap();
        let version = Version::of(self.stored.as_deref());
        self.then(Event::Written(version))
    }

    fn version(&self) -> Version {
        Version::of(self.writes.as_ref().and_then(|bytes| bytes.as_deref()))
    }

    /// In a phase, by the way that leads there.
    fn within(phase: Phase) -> Self {
        match phase {
            Phase::Unavailable => Self::new().then(Event::Wake).then(Event::Unreadable(Fault::Locked)),
            Phase::SignedOut => Self::new().then(Event::Wake).loaded(),
            Phase::SigningIn => Self::within(Phase::SignedOut).then(sign_in(2)),
            Phase::Active => Self::within(Phase::SigningIn).written(),
            Phase::Looking => {
                let mut sample = Self::within(Phase::Active);
                sample.now = 560;
                sample.then(Event::Ask)
            }
            Phase::Refreshing => Self::within(Phase::Looking).loaded(),
            Phase::Ambiguous => Self::within(Phase::Refreshing).then(Event::Lost(attempt(5))),
            Phase::Storing => Self::within(Phase::Refreshing).then(granted(access())),
            Phase::Ending => Self::within(Phase::Refreshing).then(replied(Reply::Superseded(None))),
            Phase::Reauthenticate => {
                let ended = replied(Reply::Ended(Why::Revoked));
                Self::within(Phase::Refreshing).then(ended).written()
            }
        }
    }
}

fn sign_in(session: u8) -> Event {
    let token = Token::assemble(&receipt(session, 5), Secret::new([5; 32]));
    Event::SignIn(Box::new(SignedIn { token, rule: Issued::Committed, access: access(), sent_at: at(0) }))
}

fn replied(reply: Reply) -> Event {
    Event::Replied(attempt(5), Box::new(reply))
}

fn granted(access: Option<NewAccess>) -> Event {
    replied(Reply::Granted(Granted { token: Given::Receipt(receipt(2, 6)), access, nonce: None }))
}

/// What another process has stored after this one's generation 5.
fn newer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Sample::within(Phase::Storing).writes.unwrap().unwrap())
}

fn event(name: &str, sample: &mut Sample) -> Event {
    match name {
        "Wake" => Event::Wake,
        "Reconnect" => Event::Reconnect,
        "Ask" => Event::Ask,
        "Ask, the access token is expired" => {
            sample.now = 10_000;
            Event::Ask
        }
        "Reject" => Event::Reject(Zeroizing::new("access".into())),
        "SignIn" => sign_in(9),
        "SignOut" => Event::SignOut,
        "Loaded: as expected" => Event::Loaded(sample.stored.clone().map(Zeroizing::new)),
        "Loaded: a newer generation" => Event::Loaded(Some(newer())),
        "Loaded: nothing" => Event::Loaded(None),
        "Loaded: of a newer version" => Event::Loaded(Some(Zeroizing::new(vec![200]))),
        "Unreadable" => Event::Unreadable(Fault::Locked),
        "Written" => Event::Written(sample.version()),
        "Conflict" => Event::Conflict(sample.version()),
        "Unwritten" => Event::Unwritten(sample.version(), Fault::Failed),
        "Replied: granted" => granted(access()),
        "Replied: a receipt only" => granted(None),
        "Replied: superseded" => replied(Reply::Superseded(None)),
        "Replied: ended" => replied(Reply::Ended(Why::Revoked)),
        "Replied: later" => replied(Reply::Later(Seconds::new(30))),
        "Lost" => Event::Lost(attempt(5)),
        "Revoked" => Event::Revoked(attempt(5)),
        _ => Event::Unrevoked(attempt(5)),
    }
}

fn short(action: &Action) -> String {
    match action {
        Action::Read => "read".into(),
        Action::Persist { record: None, .. } => "delete".into(),
        Action::Persist { record: Some(_), .. } => "persist".into(),
        Action::Send(Request::Refresh { .. }) => "refresh".into(),
        Action::Send(Request::Revoke { .. }) => "revoke".into(),
        Action::Wait(_) => "wait".into(),
        Action::Deliver(_) => "deliver".into(),
        Action::Notify(notice @ Notice::SignIn(_)) => format!("sign in: {}", notice.reason()),
        Action::Notify(notice) => format!("notify: {}", notice.reason()),
    }
}

/// The table, and the edges of the diagram with what leads along them.
pub fn render(page: &mut String) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    page.push_str("\n| event |");
    Phase::ALL.iter().for_each(|phase| write!(page, " {phase:?} |").unwrap());
    page.push_str("\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for name in EVENTS {
        write!(page, "| {name} |").unwrap();
        for phase in Phase::ALL {
            let mut sample = Sample::within(phase);
            assert_eq!(sample.state.phase(), phase, "the way to {phase:?} leads elsewhere");
            let event = event(name, &mut sample);
            let step = sample.feed(event);
            let after = step.state.phase();
            let actions: Vec<String> = step.actions.iter().map(short).collect();
            let mut cell = if after == phase { String::from("—") } else { format!("**{after:?}**") };
            if !actions.is_empty() {
                write!(cell, " / {}", actions.join(", ")).unwrap();
            }
            if after != phase {
                let kind = name.split(", ").next().unwrap().into();
                edges.entry((format!("{phase:?}"), format!("{after:?}"))).or_default().insert(kind);
            }
            write!(page, " {cell} |").unwrap();
        }
        page.push('\n');
    }
    edges
}

/// The table and the diagram of the client.
pub fn page() -> String {
    let mut page = String::from(
        "\n# The client, phase by event\n\nIn front of ` / ` stands the phase after the event, — where it stays; behind it \
         what the host does, in order. The\nsession is under Committed, at generation 5, and the access token is due, but in \
         Active and SigningIn. Unavailable is\nstorage that is locked; Ending is that of a session that was told `superseded`. \
         The row of each event is made by\n`client::transition`.\n",
    );
    let edges = render(&mut page);
    page.push_str("\n```mermaid\nstateDiagram-v2\n    [*] --> Unavailable\n");
    for ((from, to), names) in edges {
        let names: Vec<String> = names.iter().map(|name| name.replace(": ", " ")).collect();
        writeln!(page, "    {from} --> {to}: {}", names.join(", ")).unwrap();
    }
    page.push_str("```\n");
    page
}

#[test]
fn every_phase_of_a_client_is_left_and_reached() {
    let edges = render(&mut String::new());
    for phase in Phase::ALL.map(|phase| format!("{phase:?}")) {
        assert!(edges.keys().any(|(from, _)| *from == phase), "{phase} is never left");
        assert!(edges.keys().any(|(_, to)| *to == phase), "{phase} is never reached");
    }
}
