//! Server, network and one device; every step is held against the invariants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use safeconduct::core::client::action::{Action, Notice, Outcome, Step};
use safeconduct::core::client::event::{Context, Event, Given, Granted, Issued, NewAccess, Reply, SignedIn};
use safeconduct::core::client::invariants::{Before, Broken, Ledger, Property, honest_stays_signed_in};
use safeconduct::core::client::policy::Policy;
use safeconduct::core::client::verdict::{Refused, verdict};
use safeconduct::core::client::{Phase, State, Why, transition};
use safeconduct::core::jws::{Algorithm, KeySet, SigningKey};
use safeconduct::core::secret::{Secret, Secrets};
use safeconduct::core::session::exchange::Entropy;
use safeconduct::core::session::issuer::{Grant, Issuer};
use safeconduct::core::session::outcome::{Outcome as Decided, Refusal};
use safeconduct::core::session::sign_in::SignInRequest;
use safeconduct::core::session::state::{Late, Replay, Window};
use safeconduct::core::time::{Seconds, Timestamp};
use safeconduct::core::token::receipt::Receipt;
use safeconduct::core::token::refresh::Token;
use safeconduct::store::MemoryStore;
use safeconduct::{Authority, Error, RefreshRequest};
use zeroize::Zeroizing;

use crate::device::{Storage, Worker};
use crate::network::{Body, Letter, Packet, packet};

pub const START: u64 = 1_700_000_000_000;
/// The key of sessions under `Bound`.
pub const THUMBPRINT: [u8; 32] = [4; 32];

pub type Machine = fn(State, Event, &mut Context<'_>) -> Step;

pub struct World {
    pub authority: Authority<MemoryStore>,
    clock: Arc<AtomicU64>,
    /// How far the device's clock is off, in milliseconds.
    pub skew: i64,
    pub storage: Storage,
    pub workers: Vec<Worker>,
    pub packets: Vec<Packet>,
    pub letters: Vec<Letter>,
    pub ledger: Ledger,
    machine: Machine,
    pub replay: Replay,
    drawn: u64,
    /// Whether the user signed out, or in anew, so that a session may be over without a thief.
    pub user_left: bool,
    pub is_stolen: bool,
    /// The token of each session whose end was acknowledged to the user.
    pub ended: Vec<String>,
    /// How often each phase, outcome and decision of the server came up.
    pub seen: BTreeMap<String, u32>,
    pub broken: Option<Broken>,
}

impl World {
    pub fn new(workers: usize) -> Self {
        Self::with(transition, workers, Replay::Committed)
    }

    pub fn with(machine: Machine, workers: usize, replay: Replay) -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let now = Arc::clone(&clock);
        let keys = KeySet::new(SigningKey::hmac(&[7; 32], Algorithm::Hs256).unwrap());
        let issuer =
            Issuer::new("https://id.example", "api", keys, &Secrets::new([9; 32]), Default::default()).unwrap();
        let read = move || Timestamp::from_millis(now.load(Ordering::SeqCst));
        let mut world = Self {
            authority: Authority::open_with_clock(issuer, MemoryStore::new(), read).unwrap(),
            clock,
            skew: 0,
            storage: Storage::default(),
            workers: (0..workers).map(|_| Worker::default()).collect(),
            packets: Vec::new(),
            letters: Vec::new(),
            ledger: Ledger::default(),
            machine,
            replay,
            drawn: 0,
            user_left: false,
            is_stolen: false,
            ended: Vec::new(),
            seen: BTreeMap::new(),
            broken: None,
        };
        for worker in 0..workers {
            world.feed(worker, Event::Wake);
        }
        world
    }

    /// Signed in, and settled.
    pub fn signed_in(workers: usize) -> Self {
        let mut world = Self::new(workers);
        world.settle();
        world.sign_in(0);
        world.settle();
        world
    }

    pub const fn window() -> Replay {
        Replay::Window(Window { width: Seconds::new(10), late: Late::Challenge })
    }

    pub fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&self.drawn.to_be_bytes());
        Secret::new(seed).commitment().0
    }

    pub fn pass(&self, length: Seconds) {
        self.clock.fetch_add(length.as_millis(), Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::SeqCst).saturating_add_signed(self.skew))
    }

    fn note(&mut self, what: impl Into<String>) {
        *self.seen.entry(what.into()).or_default() += 1;
    }

    fn judge(&mut self, result: Result<(), Broken>) {
        if let Err(broken) = result {
            self.broken.get_or_insert(broken);
        }
    }

    /// Something happens to a process.
    pub fn feed(&mut self, worker: usize, event: Event) -> Outcome {
        let (now, policy) = (self.now(), Policy::default());
        let mut entropy = Entropy::from_seed(self.draw());
        let mut context = Context { now, policy: &policy, entropy: &mut entropy };
        let state = std::mem::take(&mut self.workers[worker].state);
        let before = Before::of(&state, &event);
        let ending = state.held().filter(|_| state.phase() == Phase::Ending).map(|held| held.token.to_text());
        if let (Event::SignOut | Event::SignIn(_), Some(held)) = (&event, state.held()) {
            self.ledger.left(held.attempt().session);
            self.user_left = true;
        }
        let step = (self.machine)(state, event, &mut context);
        self.judge(before.step(&step));
        self.note(format!("{:?}", step.state.phase()));
        self.note(format!("{:?}", step.outcome));
        for action in step.actions {
            if let Action::Send(request) = &action {
                let allowed = self.ledger.sent(request);
                self.judge(allowed);
            }
            self.workers[worker].todo.push_back(action);
        }
        if let (Some(token), Phase::SignedOut, Outcome::SignedOut) = (ending, step.state.phase(), step.outcome) {
            self.ended.push(token.to_string());
        }
        self.workers[worker].state = step.state;
        step.outcome
    }

    /// The host carries one action out.
    pub fn carry_out(&mut self, worker: usize) {
        let Some(action) = self.workers[worker].todo.pop_front() else { return };
        match action {
            Action::Read => self.workers[worker].inbox.push_back(self.storage.read()),
            Action::Persist { expected, record } => {
                let (written, heard) = self.storage.persist(expected, record);
                if written {
                    let noted = self.ledger.stored(self.storage.bytes.as_deref());
                    self.judge(noted);
                }
                self.note(format!("{heard:?}"));
                self.workers[worker].inbox.push_back(heard);
            }
            Action::Send(request) => self.packets.push(packet(worker, request)),
            Action::Wait(_) => self.workers[worker].waits = true,
            Action::Deliver(access) => self.workers[worker].delivered.push(access.to_string()),
            Action::Notify(notice) => {
                self.note(notice.reason());
                self.workers[worker].notices.push(notice);
                if !self.user_left && !self.is_stolen && self.replay == Replay::Committed {
                    self.judge(honest_stays_signed_in(notice));
                }
            }
        }
    }

    /// Storage holds something that no process wrote.
    pub fn store(&mut self, bytes: Option<Vec<u8>>) {
        let noted = self.ledger.stored(bytes.as_deref());
        self.judge(noted);
        self.storage.bytes = bytes;
    }

    /// A process hears what its host did.
    pub fn hear(&mut self, worker: usize) {
        if let Some(event) = self.workers[worker].inbox.pop_front() {
            self.feed(worker, event);
        }
    }

    pub fn crash(&mut self, worker: usize) {
        self.workers[worker].crash();
        self.feed(worker, Event::Wake);
    }

    /// The person signs in with a process; the server answers at once.
    pub fn sign_in(&mut self, worker: usize) {
        let first = self.draw();
        let commitment = (self.replay == Replay::Committed).then(|| Secret::new(first).commitment());
        let thumbprint = (self.replay == Replay::Bound).then_some(THUMBPRINT);
        let request =
            SignInRequest { commitment, thumbprint, replay: Some(self.replay), ..SignInRequest::new("user-1") };
        let Grant { access_token, refresh_token, receipt, nonce, expires_in, .. } =
            self.authority.issue(&request).unwrap().grant;
        let token = match (receipt, refresh_token) {
            (Some(receipt), _) => Token::assemble(&Receipt::parse(&receipt).unwrap(), Secret::new(first)),
            (None, token) => Token::parse(&token.unwrap()).unwrap(),
        };
        let rule = match self.replay {
            Replay::Committed => Issued::Committed,
            Replay::Window(_) => Issued::Window,
            Replay::Bound => Issued::Bound(nonce),
        };
        let access = access_token.map(|token| NewAccess { token, expires_in });
        let sent_at = self.now();
        self.feed(worker, Event::SignIn(Box::new(SignedIn { token, rule, access, sent_at })));
    }

    /// The server gets a packet; its answer is on its way.
    pub fn serve(&mut self, packet: &Packet) {
        let body = if packet.revokes {
            self.authority.revoke(&packet.token).unwrap();
            self.note("server: revoke");
            Body::Revoked
        } else {
            self.refresh(packet)
        };
        self.letters.push(Letter { to: packet.from, attempt: packet.attempt, body });
    }

    fn refresh(&mut self, packet: &Packet) -> Body {
        let request = RefreshRequest {
            next_commitment: packet.next,
            challenge: packet.challenge.as_deref(),
            proof: (self.replay == Replay::Bound).then_some((THUMBPRINT, packet.nonce.as_deref())),
            ..RefreshRequest::default()
        };
        match self.authority.refresh(&packet.token, &request) {
            Ok(granted) => {
                self.note(format!("server: {}", granted.outcome.reason()));
                let Grant { access_token, refresh_token, receipt, nonce, expires_in, .. } = granted.grant;
                let token = receipt.or(refresh_token.map(|token| token.to_string())).unwrap();
                Body::Granted { token, access: access_token.map(|token| (token.to_string(), expires_in)), nonce }
            }
            Err(Error::Refused(refused)) => {
                let reason = refused.outcome.reason();
                self.note(format!("server: {reason}"));
                let (status, error) = match refused.outcome {
                    Decided::Superseded { challenge: true } => (409, "superseded"),
                    Decided::Refused(Refusal::NonceRequired) => (400, "use_dpop_nonce"),
                    Decided::Refused(Refusal::StoreBehind) => (503, "temporarily_unavailable"),
                    _ if reason == "superseded" || Why::from_reason(reason) != Why::InvalidGrant => {
                        (400, "invalid_grant")
                    }
                    _ => (400, "invalid_request"),
                };
                Body::Refused { status, error, reason, challenge: refused.challenge, nonce: refused.nonce }
            }
            Err(error) => panic!("the server half failed: {error}"),
        }
    }

    /// The network or a proxy answers instead of the server.
    pub fn fail(&mut self, packet: &Packet, status: Option<u16>) {
        let body = match (packet.revokes, status) {
            (true, _) => Body::Unrevoked,
            (false, None) => Body::Lost,
            (false, Some(status)) => Body::Refused { status, error: "", reason: "", challenge: None, nonce: None },
        };
        self.letters.push(Letter { to: packet.from, attempt: packet.attempt, body });
    }

    /// An answer arrives, perhaps for the second time.
    pub fn arrive(&mut self, letter: &Letter) -> Outcome {
        let attempt = letter.attempt;
        let event = match letter.body.clone() {
            Body::Granted { token, access, nonce } => {
                let token = match Receipt::parse(&token) {
                    Ok(receipt) => Given::Receipt(receipt),
                    Err(_) => Given::Token(Token::parse(&token).unwrap()),
                };
                let access = access.map(|(token, expires_in)| NewAccess { token: Zeroizing::new(token), expires_in });
                Event::Replied(attempt, Box::new(Reply::Granted(Granted { token, access, nonce })))
            }
            Body::Refused { status, error, reason, challenge, nonce } => {
                let some = |text: &'static str| (!text.is_empty()).then_some(text);
                let (challenge, nonce) = (challenge.as_deref(), nonce.as_deref());
                let refused =
                    Refused { status, error: some(error), reason: some(reason), challenge, nonce, retry_after: None };
                Event::Replied(attempt, Box::new(verdict(&refused)))
            }
            Body::Lost => Event::Lost(attempt),
            Body::Revoked => Event::Revoked(attempt),
            Body::Unrevoked => Event::Unrevoked(attempt),
        };
        self.feed(letter.to, event)
    }

    /// Hosts work and the network is perfect until nothing is left to do. Waits are over at once.
    pub fn settle(&mut self) {
        self.storage.is_locked = false;
        self.storage.luck = Default::default();
        for _ in 0..100 {
            if self.broken.is_some() {
                return;
            }
            let mut is_idle = true;
            for worker in 0..self.workers.len() {
                is_idle &= !self.run(worker);
            }
            for packet in std::mem::take(&mut self.packets) {
                is_idle = false;
                self.serve(&packet);
            }
            for letter in std::mem::take(&mut self.letters) {
                is_idle = false;
                self.arrive(&letter);
            }
            if is_idle {
                let waiting: Vec<usize> = (0..self.workers.len()).filter(|at| self.workers[*at].waits).collect();
                if waiting.is_empty() {
                    return;
                }
                for worker in waiting {
                    self.workers[worker].waits = false;
                    self.feed(worker, Event::Wake);
                }
            }
        }
        self.judge(Err(Broken(Property::P5, "the client never comes to rest")));
    }

    /// Runs the host of one process without the network; whether there was anything to do.
    pub fn run(&mut self, worker: usize) -> bool {
        for round in 0..200 {
            if self.workers[worker].todo.is_empty() && self.workers[worker].inbox.is_empty() {
                return round > 0;
            }
            self.carry_out(worker);
            self.hear(worker);
        }
        self.judge(Err(Broken(Property::P5, "the client never comes to rest")));
        false
    }

    /// The application asks, and everything works: how many access tokens it got.
    pub fn ask(&mut self, worker: usize) -> usize {
        let before = self.workers[worker].delivered.len();
        self.feed(worker, Event::Ask);
        self.settle();
        self.workers[worker].delivered.len() - before
    }

    /// Whether the server still gives something for the token, of whatever generation.
    pub fn is_served(&mut self, token: &str) -> bool {
        let next_commitment = Some(Secret::new(self.draw()).commitment());
        let request = RefreshRequest { next_commitment, ..RefreshRequest::default() };
        let refused = match self.authority.refresh(token, &request) {
            Err(Error::Refused(refused)) => refused.outcome,
            Ok(_) | Err(_) => return true,
        };
        refused != Decided::Refused(Refusal::Revoked)
    }

    pub fn phase(&self, worker: usize) -> Phase {
        self.workers[worker].state.phase()
    }

    pub fn generation(&self, worker: usize) -> u32 {
        self.workers[worker].state.held().unwrap().token.generation()
    }

    pub fn has_heard(&self, worker: usize, why: Why) -> bool {
        self.workers[worker].has_heard(Notice::SignIn(why))
    }

    pub fn times(&self, what: &str) -> u32 {
        self.seen.get(what).copied().unwrap_or(0)
    }
}
