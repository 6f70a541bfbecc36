//! A sequence of things that happen to the sessions of two subjects, driven through real exchanges over
//! a map, and judged by the [`Ledger`].
//!
//! Right, old, bent and foreign tokens are presented; clocks jump; the store goes back to a backup; two
//! operations race each other step by step.

mod script;

use std::sync::OnceLock;

use safeconduct_core::revocation::view::View;
use safeconduct_core::secret::Secret;
use safeconduct_core::session::event::Amendment;
use safeconduct_core::session::exchange::{Failure, Present, Reply, Request, Shown};
use safeconduct_core::session::issuer::Issuer;
use safeconduct_core::session::policy::{SessionLimit, Settings, StoreBehind};
use safeconduct_core::session::sign_in::{SignIn, SignInRequest};
use safeconduct_core::session::state::{Late, Mode, Reason, Replay, Window};
use safeconduct_core::time::{Seconds, Timestamp};

pub use self::script::{Act, Next, Op, Proof, Script};
use crate::deployment::{Conversation, START, Store, StoreFault, issuer};
use crate::ledger::{Asked, Done, Held, Ledger};
use crate::{Broken, Judged, hold};

/// A longer script tells nothing that a shorter one does not.
const MAX_OPS: usize = 64;

pub const SUBJECTS: [&str; 2] = ["subject-of-the-first", "subject-of-the-second"];
pub const SCOPES: [&str; 4] = ["", "read", "read write", "read write admin"];
const CLIENTS: [&str; 2] = ["client-a", "client-b"];
const THUMBPRINTS: [[u8; 32]; 2] = [[0xa1; 32], [0xb2; 32]];

/// How what is under test may be wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault {
    pub store: StoreFault,
    /// The issuer does not enter its own revocations in its view.
    pub forgets: bool,
}

/// What happened in a script, so that a test can see that it is not vacuous.
#[derive(Debug, Default)]
pub struct Seen(pub std::collections::BTreeSet<&'static str>);

fn settings(policy: u8) -> Settings {
    let window = |width, late| Replay::Window(Window { width: Seconds::new(width), late });
    let usual = Settings {
        access_ttl: Seconds::new(60),
        idle_ttl: Seconds::new(600),
        absolute_ttl: Seconds::new(3600),
        max_sessions: 3,
        replay: window(10, Late::Challenge),
        partitions: 2,
        ..Settings::default()
    };
    match policy % 3 {
        0 => usual,
        1 => Settings { session_limit: SessionLimit::Refuse, replay: window(10, Late::Revoke), ..usual },
        _ => Settings { store_behind: StoreBehind::Unavailable, replay: window(0, Late::Challenge), ..usual },
    }
}

fn issuers() -> &'static [Issuer] {
    static ISSUERS: OnceLock<Vec<Issuer>> = OnceLock::new();
    ISSUERS.get_or_init(|| (0..3).map(|policy| issuer(settings(policy))).collect())
}

/// The target.
pub fn run(data: &[u8], fault: Fault) -> Result<Seen, Broken> {
    let Some(script) = Script::parse(data) else { return Ok(Seen::default()) };
    play(&script, fault)
}

/// Plays a script.
pub fn play(script: &Script, fault: Fault) -> Result<Seen, Broken> {
    let issuer = &issuers()[usize::from(script.policy % 3)];
    let mut stage = Stage {
        issuer,
        store: Store { fault: fault.store, ..Store::default() },
        view: View::new(),
        forgets: fault.forgets,
        now: START,
        seed: 0,
        drawn: Vec::new(),
        ledger: Ledger::new(issuer),
        backups: Vec::new(),
    };
    stage.open()?;
    for op in script.ops.iter().take(MAX_OPS) {
        stage.play(op)?;
    }
    Ok(Seen(stage.ledger.seen))
}

struct Stage<'i> {
    issuer: &'i Issuer,
    store: Store,
    view: View,
    forgets: bool,
    now: Timestamp,
    seed: u64,
    /// Every secret that a client ever drew.
    drawn: Vec<[u8; 32]>,
    ledger: Ledger<'i>,
    backups: Vec<(Store, Ledger<'i>)>,
}

/// An act that was begun: what the ledger is told of it, and the exchange.
struct Begun {
    asked: Asked,
    conversation: Conversation,
}

/// Counted from the newest.
fn newest<T>(all: &[T], index: u8) -> Option<&T> {
    all.iter().rev().nth(usize::from(index).checked_rem(all.len())?)
}

impl Stage<'_> {
    fn open(&mut self) -> Judged {
        let mut conversation = Conversation::begin(Request::Open, self.now, u64::MAX);
        let reply = conversation.finish(&mut self.store, self.issuer, &mut self.view);
        hold(matches!(reply, Ok(Reply::Opened)), || format!("{reply:?}"))
    }

    fn play(&mut self, op: &Op) -> Judged {
        match op {
            Op::One(act) => {
                let Some(mut begun) = self.begin(act)? else { return Ok(()) };
                let reply = begun.conversation.finish(&mut self.store, self.issuer, &mut self.view);
                self.done(&begun, reply, true)
            }
            Op::Lost { act, steps } => {
                let ends =
                    matches!(act, Act::SignOut { .. } | Act::Revoke { .. } | Act::RevokeAll { .. } | Act::Erase { .. });
                let (true, Some(mut begun)) = (ends, self.begin(act)?) else { return Ok(()) };
                let erased = match act {
                    Act::Erase { who } => Some(usize::from(who % 2)),
                    _ => None,
                };
                self.ledger.an_answer_was_lost(erased);
                for _ in 0..=steps % 8 {
                    let step = begun.conversation.step(&mut self.store, self.issuer, &mut self.view);
                    if step.map_err(|failure| Broken(format!("{failure:?}")))?.is_some() {
                        break;
                    }
                }
                Ok(())
            }
            Op::Race { first, second, order } => self.race([first, second], *order),
            Op::Pass { unit, count } => {
                let unit = [1, 9, 61, 601, 1801][usize::from(unit % 5)];
                self.now = self.now.plus(Seconds::new(unit * u64::from(count % 4)));
                Ok(())
            }
            Op::Back { seconds } => {
                self.now = self.now.minus(Seconds::new(u64::from(*seconds)));
                self.ledger.clock_went_back();
                Ok(())
            }
            Op::Backup => {
                self.backups.push((self.store.clone(), self.ledger.clone()));
                Ok(())
            }
            Op::Restore { which } => {
                let Some(which) = usize::from(*which).checked_rem(self.backups.len()) else { return Ok(()) };
                self.backups.truncate(which + 1);
                let (store, ledger) = &self.backups[which];
                self.store = store.clone();
                self.ledger.store_went_back(ledger);
                Ok(())
            }
        }
    }

    fn race(&mut self, acts: [&Act; 2], order: u16) -> Judged {
        self.ledger.race_begins();
        let mut running = [self.begin(acts[0])?, self.begin(acts[1])?];
        for turn in 0.. {
            // Past the bits of `order` they go on by turns, so that both end.
            let goes_first = if turn < 16 { order >> turn & 1 == 0 } else { turn % 2 == 0 };
            let place = usize::from(!goes_first);
            let place = if running[place].is_some() { place } else { 1 - place };
            let Some(begun) = &mut running[place] else { return Ok(()) };
            let step = begun.conversation.step(&mut self.store, self.issuer, &mut self.view);
            let reply = match step {
                Ok(None) => continue,
                Ok(Some(reply)) => Ok(reply),
                Err(failure) => Err(failure),
            };
            if let Some(begun) = running[place].take() {
                self.done(&begun, reply, false)?;
            }
        }
        Ok(())
    }

    /// What was asked is over: the view learns first, then the ledger judges.
    fn done(&mut self, begun: &Begun, reply: Result<Reply, Failure>, alone: bool) -> Judged {
        let reply = reply.map_err(|failure| Broken(format!("{failure:?} of {:?}", begun.asked)))?;
        if let Reply::Decided(decided) = &reply
            && !self.forgets
        {
            decided.entries.iter().for_each(|entry| self.view.enter(entry));
        }
        let done = Done {
            now: self.now,
            reply: &reply,
            commits: &begun.conversation.commits,
            store: &self.store,
            view: &self.view,
            drawn: &self.drawn,
            alone,
        };
        self.ledger
            .observe(&begun.asked, &done)
            .map_err(|Broken(why)| Broken(format!("{why}\nasked: {:?}\nreply: {reply:?}", begun.asked)))
    }

    /// `None` where the act cannot be: there is no such token yet, or it is refused before any store.
    fn begin(&mut self, act: &Act) -> Result<Option<Begun>, Broken> {
        let Some((asked, request)) = self.request(act)? else { return Ok(None) };
        self.seed += 1;
        let mut conversation = Conversation::begin(request, self.now, self.seed);
        conversation.forgets = self.forgets;
        Ok(Some(Begun { asked, conversation }))
    }

    fn request(&mut self, act: &Act) -> Result<Option<(Asked, Request)>, Broken> {
        let session = |index| newest(&self.ledger.sessions, index).map(|line| line.sid);
        let who = |who: &u8| usize::from(who % 2);
        Ok(match act {
            Act::Issue { .. } => self.sign_in(act),
            Act::Rotate { .. } => self.rotation(act)?,
            Act::Authenticate { token, bend } => self
                .present(*token, *bend, Shown::Authenticate)?
                .map(|(held, bent, request)| (Asked::Authenticate { held, bent }, request)),
            Act::SignOut { token, bend } => self
                .present(*token, *bend, Shown::Revoke)?
                .map(|(held, bent, request)| (Asked::SignOut { held, bent }, request)),
            Act::Revoke { session: index } => {
                session(*index).map(|sid| (Asked::Revoke(sid), Request::Revoke(sid, Reason::Administrative)))
            }
            Act::Amend { session: index, scope, claims } => {
                let scope = SCOPES.get(usize::from(scope % 5)).copied();
                let claims = claims.then_some(r#"{"role":"x"}"#);
                let amendment = Amendment::new(scope, claims, self.issuer.policy());
                let amendment = amendment.map_err(|error| Broken(format!("{error:?}")))?;
                session(*index).map(|sid| (Asked::Amend(sid, scope), Request::Amend(sid, amendment)))
            }
            Act::RevokeAll { who: index, keep } => {
                let keep = keep.and_then(session);
                let subject = SUBJECTS[who(index)].to_owned();
                Some((Asked::RevokeAll(who(index), keep), Request::RevokeAll { subject, keep }))
            }
            Act::Erase { who: index } => {
                Some((Asked::Erase(who(index)), Request::Erase { subject: SUBJECTS[who(index)].to_owned() }))
            }
            Act::List { who: index } => {
                let subject = SUBJECTS[who(index)].to_owned();
                Some((Asked::List(who(index)), Request::List { subject, after: None, limit: 100 }))
            }
        })
    }

    fn draw(&mut self) -> [u8; 32] {
        let mut secret = [0xd5; 32];
        // Distinct in the first eight bytes, and none of them a number that a record could hold.
        secret[1..5].copy_from_slice(&(self.drawn.len() as u32 | 0xd5d5_0000).to_be_bytes());
        self.drawn.push(secret);
        secret
    }

    fn sign_in(&mut self, act: &Act) -> Option<(Asked, Request)> {
        let Act::Issue { who, mode, replay, commits, bound, scope } = act else { return None };
        let who = usize::from(who % 2);
        let mode = [Mode::Hybrid, Mode::Hybrid, Mode::Opaque, Mode::Jwt][usize::from(mode % 4)];
        let replay = [None, Some(Replay::Committed), Some(Replay::Bound)][usize::from(replay % 3)];
        let secret = (*commits && mode == Mode::Hybrid).then(|| self.draw());
        let scope = SCOPES[usize::from(scope % 4)];
        let request = SignInRequest {
            client_id: CLIENTS[0],
            scope,
            mode,
            replay,
            commitment: secret.map(|secret| Secret::new(secret).commitment()),
            thumbprint: bound.then_some(THUMBPRINTS[0]),
            ..SignInRequest::new(SUBJECTS[who])
        };
        let replay = replay.unwrap_or(if secret.is_some() { Replay::Committed } else { self.issuer.policy().replay });
        let sign_in = SignIn::new(&request, self.issuer.policy()).ok()?;
        let thumbprint = request.thumbprint;
        Some((Asked::Issue { who, mode, replay, secret, scope, thumbprint }, Request::Issue(sign_in)))
    }

    fn rotation(&mut self, act: &Act) -> Result<Option<(Asked, Request)>, Broken> {
        let Act::Rotate { token, next, bend, client, proof, scope, challenge } = act else { return Ok(None) };
        let Some(held) = newest(&self.ledger.held, *token).cloned() else { return Ok(None) };
        let line = self.ledger.line(held.sid);
        let (replay, thumbprint) = (line.replay, line.thumbprint);
        let secret = match next {
            Next::AsItShould => (replay == Replay::Committed).then(|| self.draw()),
            Next::None => None,
            Next::Drawn(index) => newest(&self.drawn, *index).copied(),
        };
        let proof = match proof {
            Proof::AsItShould => thumbprint.map(|key| (key, held.nonce.clone())),
            Proof::None => None,
            Proof::OfKey { key, nonce_of } => {
                let nonce = nonce_of.and_then(|index| newest(&self.ledger.held, index)?.nonce.clone());
                Some((THUMBPRINTS[usize::from(key % 2)], nonce))
            }
        };
        let scope = SCOPES.get(usize::from(scope % 5)).copied().filter(|scope| !scope.is_empty());
        let client = [None, Some(CLIENTS[0]), Some(CLIENTS[1])][usize::from(client % 3)];
        let challenge = challenge.and_then(|index| newest(&self.ledger.challenges, index)).cloned();
        let shown = Shown::Rotate {
            next: secret.map(|secret| Secret::new(secret).commitment()),
            client_id: client.map(str::to_owned),
            proof: proof.clone(),
            scope: scope.map(str::to_owned),
            challenge: challenge.as_ref().map(|challenge| challenge.text.clone()),
        };
        let presented = self.present(*token, *bend, shown)?;
        Ok(presented.map(|(held, bent, request)| {
            (Asked::Rotate { held, secret, client, proof, scope, challenge, bent }, request)
        }))
    }

    /// A token of ours, as it is or with one character bent; `None` where it is refused at once.
    fn present(&self, token: u8, bend: Option<(u8, u8)>, shown: Shown) -> Result<Option<Presented>, Broken> {
        let Some(held) = newest(&self.ledger.held, token) else { return Ok(None) };
        let mut text = held.text.clone();
        if let Some((place, to)) = bend {
            let place = usize::from(place) % text.len();
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let to = char::from(alphabet[usize::from(to % 64)]);
            text.replace_range(place..=place, to.encode_utf8(&mut [0; 4]));
        }
        let is_bent = text != held.text;
        let is_opaque = held.text.starts_with("sco1_");
        let fits = match shown {
            Shown::Rotate { .. } => !is_opaque,
            Shown::Authenticate => is_opaque,
            Shown::Revoke => true,
        };
        match Present::parse(&text, shown, self.issuer) {
            Ok(present) => {
                hold(fits && text[..97] == held.text[..97], || format!("believed: {text}"))?;
                Ok(Some((held.clone(), is_bent, Request::Present(Box::new(present)))))
            }
            Err(_) => {
                hold(is_bent || !fits, || format!("not believed: {text}"))?;
                Ok(None)
            }
        }
    }
}

/// A token, whether it was bent, and what is requested with it.
type Presented = (Held, bool, Request);
