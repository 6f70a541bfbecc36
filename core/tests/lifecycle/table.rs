//! `spec/lifecycle.md` is what the code does: generated here and compared. `UPDATE=1` writes it anew.

use std::fmt::Write;
use std::path::PathBuf;

use safeconduct_core::session::event::{Amendment, Event, Issue, Loaded, Rotate, Successor};
use safeconduct_core::session::outcome::{SessionWrite, Step};
use safeconduct_core::session::policy::Policy;
use safeconduct_core::session::state::{Late, Mode, Reason, Replay, Session, Subject};
use safeconduct_core::session::{Phase, phase, transition};
use safeconduct_core::time::{Seconds, Timestamp};

use crate::sample::{SUBJECT, at, context, rotate, secret, session, token, window};

const EVENTS: [&str; 10] = [
    "Issue",
    "Rotate: current",
    "Rotate: predecessor, a repeat",
    "Rotate: predecessor, late or otherwise",
    "Rotate: older",
    "Rotate: ahead of the record",
    "Authenticate: current",
    "Amend",
    "Revoke",
    "Erase",
];

fn event<'a>(name: &str, replay: Replay, amendment: &'a Amendment) -> Event<'a> {
    let other = |rotate: Rotate<'a>| match rotate.successor {
        Successor::Offered(_) => Rotate { successor: Successor::Offered(secret(9, 9)), ..rotate },
        Successor::Derived(_) => Rotate { presented: token(9, 4), ..rotate },
    };
    match name {
        "Issue" => Event::Issue(Issue {
            key: safeconduct_core::secret::KeyId(1),
            mode: Mode::Hybrid,
            replay,
            salt: [5; 16],
            subject: "user-1".into(),
            client_id: "web".into(),
            device: None,
            ip: None,
            thumbprint: (replay == Replay::Bound).then_some([8; 32]),
            entitlement: Default::default(),
            first: secret(1, 0),
        }),
        "Rotate: current" => Event::Rotate(rotate(replay, token(1, 5))),
        "Rotate: predecessor, a repeat" => Event::Rotate(rotate(replay, token(1, 4))),
        "Rotate: predecessor, late or otherwise" => match replay {
            Replay::Window(_) => Event::Rotate(rotate(replay, token(1, 4))),
            Replay::Committed | Replay::Bound => Event::Rotate(other(rotate(replay, token(1, 4)))),
        },
        "Rotate: older" => Event::Rotate(rotate(replay, token(1, 3))),
        "Rotate: ahead of the record" => Event::Rotate(rotate(replay, token(1, 8))),
        "Authenticate: current" => Event::Authenticate(token(1, 5)),
        "Amend" => Event::Amend { amendment, successor: secret(1, 6) },
        "Revoke" => Event::Revoke { reason: Reason::Administrative, presented: None },
        _ => Event::Erase,
    }
}

/// Records and a time that are in `wanted`. A repeat happens within the window, everything else after it.
fn place(wanted: Phase, mode: Mode, replay: Replay, event: &str) -> (Option<Session>, Option<Subject>, Timestamp) {
    let soon = at(600_000).plus(Seconds::new(if event.ends_with("a repeat") { 5 } else { 60 }));
    let record = session(mode, replay, 5);
    match wanted {
        Phase::Absent => (None, Some(SUBJECT), soon),
        Phase::Erased => (None, Some(Subject { erased: true, ..SUBJECT }), soon),
        Phase::Active => (Some(record), Some(SUBJECT), soon),
        Phase::Idle => (Some(record), Some(SUBJECT), at(600_000).plus(Seconds::days(31))),
        Phase::Expired => (Some(record), Some(SUBJECT), at(0).plus(Seconds::days(181))),
        Phase::Revoked => (Some(record), Some(Subject { epoch: 8, ..SUBJECT }), soon),
    }
}

fn cell(step: &Step) -> String {
    let mut text = step.outcome.reason().to_owned();
    if matches!(step.outcome, safeconduct_core::session::outcome::Outcome::Superseded { challenge: true }) {
        text.push_str(" + challenge");
    }
    if step.rolled_back {
        text.push_str(" + store_rolled_back");
    }
    text.push_str(match &step.session {
        SessionWrite::Keep => "",
        SessionWrite::Create(_) => " / creates",
        SessionWrite::Move(state) if state.revoked.is_some() => " / revokes",
        SessionWrite::Move(_) => " / moves",
        SessionWrite::Amend(..) => " / amends",
        SessionWrite::Delete => " / deletes",
    });
    text
}

fn render() -> String {
    let mut page = String::from(
        "# The lifecycle, state by event\n\nGenerated from the code and compared with it by \
         `cargo test -p safeconduct-core --test lifecycle`; after a change, `UPDATE=1` before that command writes it \
         anew.\nBefore ` / ` stands the outcome, after it what becomes of the record; where nothing stands, nothing is \
         written.\nSession at generation 5; the predecessor is generation 4, older is 3, ahead is 8.\n",
    );
    let rules = [
        ("Committed", Mode::Hybrid, Replay::Committed),
        ("Bound", Mode::Hybrid, Replay::Bound),
        ("Window (10 s, with challenge)", Mode::Hybrid, window(10, Late::Challenge)),
        ("Window (10 s, plain)", Mode::Hybrid, window(10, Late::Revoke)),
        ("Window (0 s: strict)", Mode::Hybrid, window(0, Late::Challenge)),
        ("Opaque session", Mode::Opaque, window(10, Late::Challenge)),
    ];
    let (policy, amendment) = (Policy::default(), Amendment::default());
    for (name, mode, replay) in rules {
        write!(page, "\n## {name}\n\n| event |").unwrap();
        Phase::ALL.iter().for_each(|phase| write!(page, " {phase:?} |").unwrap());
        page.push_str("\n|---|---|---|---|---|---|---|\n");
        for name in EVENTS {
            write!(page, "| {name} |").unwrap();
            for wanted in Phase::ALL {
                let (session, subject, now) = place(wanted, mode, replay, name);
                let loaded = Loaded { session: session.as_ref(), subject: subject.as_ref() };
                let context = context(&policy, now);
                assert_eq!(phase(&loaded, &context), wanted);
                let step = transition(&loaded, event(name, replay, &amendment), &context);
                write!(page, " {} |", cell(&step)).unwrap();
            }
            page.push('\n');
        }
    }
    page.push_str(&crate::client::page());
    page
}

#[test]
fn the_table_in_the_specification_is_what_the_code_does() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/lifecycle.md");
    let page = render();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "spec/lifecycle.md differs from the code; run this test with UPDATE=1 and read the change"
    );
}
