//! Random histories of two processes on one storage, held against every invariant.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use safeconduct::core::client::event::Event;
use safeconduct::core::client::invariants::{Broken, Property, one_is_found_out};
use safeconduct::core::client::{MAX_OWED, Phase, transition};
use safeconduct::core::session::state::Replay;
use safeconduct::core::time::Seconds;
use zeroize::Zeroizing;

use crate::device::Luck;
use crate::thief::Thief;
use crate::world::{Machine, World};

/// One thing that happens, in terms that make sense at any moment.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Ask(usize),
    /// The resource refuses the access token that came last.
    Reject(usize),
    Wake(usize),
    Reconnect(usize),
    /// The host carries out one action, or the process hears of one.
    CarryOut(usize),
    Hear(usize),
    /// Both until nothing is left.
    Run(usize),
    Crash(usize),
    /// A packet reaches the server, and stays on its way.
    Serve(u8),
    /// It reaches the server once.
    Take(u8),
    Lose(u8),
    Fail(u8, u16),
    /// An answer arrives, and stays on its way.
    Arrive(u8),
    Accept(u8),
    Pass(u16),
    Skew(i32),
    Lock(bool),
    Write(Luck),
    SignOut(usize),
    SignIn(usize),
    Steal(bool),
    Thieve,
}

fn acts(with_user: bool, with_thief: bool) -> impl Strategy<Value = Vec<Act>> {
    let one = || 0usize..2;
    let at = any::<u8>;
    // Where there is no such actor, its acts are those of the host.
    let user = move |act: fn(usize) -> Act| one().prop_map(if with_user { act } else { Act::Run });
    let luck = prop_oneof![Just(Luck::Good), Just(Luck::Unheard), Just(Luck::Failed)];
    let act = prop_oneof![
        8 => one().prop_map(Act::Ask),
        1 => one().prop_map(Act::Reject),
        3 => one().prop_map(Act::Wake),
        2 => one().prop_map(Act::Reconnect),
        6 => one().prop_map(Act::CarryOut),
        6 => one().prop_map(Act::Hear),
        14 => one().prop_map(Act::Run),
        3 => one().prop_map(Act::Crash),
        4 => at().prop_map(Act::Serve),
        10 => at().prop_map(Act::Take),
        2 => at().prop_map(Act::Lose),
        2 => (at(), prop_oneof![Just(502u16), Just(503), Just(403)]).prop_map(|(at, status)| Act::Fail(at, status)),
        4 => at().prop_map(Act::Arrive),
        12 => at().prop_map(Act::Accept),
        8 => (0u16..2_000).prop_map(Act::Pass),
        1 => (-4_000_000i32..4_000_000).prop_map(Act::Skew),
        2 => prop::bool::weighted(0.3).prop_map(Act::Lock),
        3 => luck.prop_map(Act::Write),
        1 => user(Act::SignOut),
        1 => user(Act::SignIn),
        1 => any::<bool>().prop_map(move |with_next| if with_thief { Act::Steal(with_next) } else { Act::Run(0) }),
        4 => Just(if with_thief { Act::Thieve } else { Act::Run(1) }),
    ];
    prop::collection::vec(act, 1..120)
}

/// How often each phase, outcome and decision came up: a property that was never in danger shows nothing.
pub type Seen = BTreeMap<String, u32>;

pub struct History {
    pub world: World,
    thief: Option<Thief>,
}

impl History {
    pub fn begin(machine: Machine, replay: Replay) -> Self {
        let mut world = World::with(machine, 2, replay);
        world.settle();
        world.sign_in(0);
        world.settle();
        Self { world, thief: None }
    }

    pub fn act(&mut self, act: Act) {
        let world = &mut self.world;
        let pick = |at: u8, len: usize| (len > 0).then(|| usize::from(at) % len);
        match act {
            Act::Ask(worker) => drop(world.feed(worker, Event::Ask)),
            Act::Reject(worker) => {
                let refused = world.workers[worker].delivered.last().cloned().unwrap_or_default();
                world.feed(worker, Event::Reject(Zeroizing::new(refused)));
            }
            Act::Wake(worker) => drop(world.feed(worker, Event::Wake)),
            Act::Reconnect(worker) => drop(world.feed(worker, Event::Reconnect)),
            Act::CarryOut(worker) => world.carry_out(worker),
            Act::Hear(worker) => world.hear(worker),
            Act::Run(worker) => drop(world.run(worker)),
            Act::Crash(worker) => world.crash(worker),
            Act::Serve(at) | Act::Take(at) | Act::Lose(at) | Act::Fail(at, _) => {
                let Some(at) = pick(at, world.packets.len()) else { return };
                let packet = world.packets[at].clone();
                if !matches!(act, Act::Serve(_)) {
                    world.packets.remove(at);
                }
                match act {
                    Act::Lose(_) => world.fail(&packet, None),
                    Act::Fail(_, status) => world.fail(&packet, Some(status)),
                    _ => world.serve(&packet),
                }
            }
            Act::Arrive(at) | Act::Accept(at) => {
                let Some(at) = pick(at, world.letters.len()) else { return };
                let letter = world.letters[at].clone();
                if matches!(act, Act::Accept(_)) {
                    world.letters.remove(at);
                }
                world.arrive(&letter);
            }
            Act::Pass(seconds) => world.pass(Seconds::new(seconds.into())),
            Act::Skew(millis) => world.skew = millis.into(),
            Act::Lock(locked) => world.storage.is_locked = locked,
            Act::Write(luck) => world.storage.luck = luck,
            Act::SignOut(worker) => drop(world.feed(worker, Event::SignOut)),
            Act::SignIn(worker) if world.phase(worker) != Phase::Unavailable => world.sign_in(worker),
            Act::SignIn(_) => {}
            Act::Steal(with_next) => {
                if self.thief.is_none() {
                    self.thief = Thief::steal(world, with_next);
                }
            }
            Act::Thieve => {
                if let Some(thief) = &mut self.thief {
                    thief.refresh(world);
                }
            }
        }
    }

    /// Everything works from now on: whoever is honest gets an access token, and a thief is found out.
    pub fn end(&mut self) -> Result<(), Broken> {
        let world = &mut self.world;
        world.settle();
        // The access tokens that there are have expired.
        world.pass(Seconds::new(2 * 3_600));
        for worker in 0..world.workers.len() {
            let is_silent = world.ask(worker) == 0;
            if let Some(broken) = world.broken {
                return Err(broken);
            }
            if is_silent && !world.user_left && !world.is_stolen {
                return Err(Broken(Property::P5, "an honest client gets no access token"));
            }
        }
        // More than the record holds give way to newer ones.
        if world.ended.len() <= MAX_OWED {
            for token in std::mem::take(&mut world.ended) {
                *world.seen.entry("ended".into()).or_default() += 1;
                if world.is_served(&token) {
                    return Err(Broken(Property::Proven, "a session outlived its acknowledged end"));
                }
            }
        }
        if let (Some(thief), false) = (&mut self.thief, self.world.user_left) {
            let rotated = thief.rotated > 0;
            let served = thief.refresh(&mut self.world);
            one_is_found_out(rotated, served)?;
        }
        self.world.broken.map_or(Ok(()), Err)
    }
}

pub fn run(machine: Machine, replay: Replay, acts: &[Act], seen: &mut Seen) -> Result<(), Broken> {
    let mut history = History::begin(machine, replay);
    for act in acts {
        history.act(*act);
        if let Some(broken) = history.world.broken {
            return Err(broken);
        }
    }
    let end = history.end();
    for (what, times) in history.world.seen {
        *seen.entry(what).or_default() += times;
    }
    end
}

/// The first property that some history breaks, with the shortest such history found.
pub fn search(machine: Machine, replay: Replay, with: (bool, bool), cases: u32) -> (Seen, Option<(Broken, Vec<Act>)>) {
    let seen = RefCell::new(Seen::new());
    let config =
        ProptestConfig { failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::with_cases(cases) };
    let mut runner = TestRunner::new_with_rng(config, deterministic());
    let found = runner.run(&acts(with.0, with.1), |acts| {
        run(machine, replay, &acts, &mut seen.borrow_mut()).map_err(|broken| TestCaseError::fail(broken.to_string()))
    });
    let shortest = match found {
        Ok(()) => None,
        Err(TestError::Fail(_, acts)) => {
            let broken = run(machine, replay, &acts, &mut Seen::new()).unwrap_err();
            Some((broken, acts))
        }
        Err(error) => panic!("{error}"),
    };
    (seen.into_inner(), shortest)
}

fn deterministic() -> proptest::test_runner::TestRng {
    proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha)
}

/// `CASES=15000 cargo test -p safeconduct --test wallet` looks longer.
fn cases() -> u32 {
    std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_500)
}

#[test]
fn an_honest_client_is_never_signed_out_by_loss_duplication_reordering_crashes_or_storage() {
    let (seen, broken) = search(transition, Replay::Committed, (false, false), cases());
    assert!(broken.is_none(), "{broken:?}");
    for what in [
        "Unavailable",
        "Active",
        "Looking",
        "Refreshing",
        "Ambiguous",
        "Storing",
        "Written",
        "Conflict",
        "Unwritten",
        "Dropped",
        "Adopted",
        "server: rotated",
        "server: repeated",
        "server: superseded",
        "storage_locked",
        "unreachable",
    ] {
        assert!(seen.contains_key(what), "no history came to {what}: {seen:?}");
    }
    assert!(!seen.contains_key("server: reuse_detected") && !seen.contains_key("Reauthenticate"), "{seen:?}");
}

#[test]
fn a_user_who_signs_out_and_in_leaves_nothing_behind() {
    let (seen, broken) = search(transition, Replay::Committed, (true, false), cases());
    assert!(broken.is_none(), "{broken:?}");
    for what in ["ended", "SigningIn", "Ending", "SignedOut", "server: revoke", "server: session_revoked", "signed_out"]
    {
        assert!(seen.contains_key(what), "no history came to {what}: {seen:?}");
    }
}

#[test]
fn of_a_thief_and_a_client_one_is_found_out() {
    let (seen, broken) = search(transition, Replay::Committed, (false, true), cases());
    assert!(broken.is_none(), "{broken:?}");
    for what in ["server: reuse_detected", "server: superseded", "superseded", "reuse_detected", "Reauthenticate"] {
        assert!(seen.contains_key(what), "no history came to {what}: {seen:?}");
    }
}
