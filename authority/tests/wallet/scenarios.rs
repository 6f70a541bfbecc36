//! The scenarios of a client's life; a comment names the number of each.

use safeconduct::core::client::action::{Action, Notice, Outcome};
use safeconduct::core::client::event::{Event, Fault};
use safeconduct::core::client::record::{self, Content};
use safeconduct::core::client::{Phase, Rule, Why};
use safeconduct::core::time::Seconds;
use zeroize::Zeroizing;

use crate::device::Luck;
use crate::thief::Thief;
use crate::world::World;

const EXPIRED: Seconds = Seconds::new(700);

/// Both halves hold everything that they promise.
fn sound(world: &World) {
    assert_eq!(world.broken, None);
}

/// A process whose refresh is on its way.
fn refreshing(workers: usize) -> World {
    let mut world = World::signed_in(workers);
    world.pass(EXPIRED);
    world.feed(0, Event::Ask);
    world.run(0);
    assert_eq!((world.phase(0), world.packets.len()), (Phase::Refreshing, 1));
    world
}

/// 5.
#[test]
fn a_process_that_is_killed_before_it_saves_sends_the_same_again() {
    let mut world = refreshing(1);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    world.letters.clear();
    world.pass(Seconds::days(1));
    world.crash(0);
    assert_eq!(world.ask(0), 1);
    assert_eq!((world.times("server: repeated"), world.generation(0)), (1, 2));
    sound(&world);
}

/// 5, where it is killed while it saves: the new record may be there or not.
#[test]
fn a_process_that_is_killed_while_it_saves_goes_on_from_either_record() {
    for luck in [Luck::Unheard, Luck::Failed] {
        let mut world = refreshing(1);
        let packet = world.packets.remove(0);
        world.serve(&packet);
        let letter = world.letters.remove(0);
        world.arrive(&letter);
        assert_eq!(world.phase(0), Phase::Storing);
        world.storage.luck = luck;
        world.carry_out(0);
        world.crash(0);
        world.settle();
        world.pass(EXPIRED);
        assert_eq!(world.ask(0), 1, "{luck:?}");
        assert_eq!(world.times("server: reuse_detected"), 0);
        sound(&world);
    }
}

/// 19.
#[test]
fn a_reply_that_comes_after_signing_out_is_discarded() {
    let mut world = refreshing(1);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    let letter = world.letters.remove(0);
    world.feed(0, Event::SignOut);
    assert_eq!(world.arrive(&letter), Outcome::Dropped);
    world.settle();
    assert_eq!(world.arrive(&letter), Outcome::Dropped);
    assert_eq!((world.phase(0), &world.storage.bytes), (Phase::SignedOut, &None));
    assert_eq!(world.times("server: revoke"), 1);
    assert!(Thief::steal(&mut world, false).is_none(), "a token is still stored");
    assert_eq!(world.ask(0), 0);
    sound(&world);
}

/// 19, without a network and with a crash: the revoke is sent until it is acknowledged.
#[test]
fn a_sign_out_without_a_network_revokes_the_session_when_there_is_one() {
    let mut world = World::signed_in(1);
    world.feed(0, Event::SignOut);
    world.run(0);
    assert!(world.has_heard(0, Why::SignedOut));
    let packet = world.packets.remove(0);
    world.fail(&packet, None);
    world.crash(0);
    world.letters.clear();
    world.run(0);
    assert_eq!((world.phase(0), world.packets.len()), (Phase::SignedOut, 1));
    world.settle();
    assert_eq!((world.times("server: revoke"), &world.storage.bytes), (1, &None));
    sound(&world);
}

/// 39.
#[test]
fn fifty_calls_that_are_refused_cause_one_refresh() {
    let mut world = World::signed_in(2);
    world.ask(0);
    let refused = world.workers[0].delivered[0].clone();
    for _ in 0..50 {
        world.feed(0, Event::Reject(Zeroizing::new(refused.clone())));
    }
    world.settle();
    for _ in 0..50 {
        world.feed(0, Event::Reject(Zeroizing::new(refused.clone())));
    }
    assert_eq!(world.times("server: rotated"), 1);
    let fresh = world.workers[0].delivered.last().unwrap();
    assert!(*fresh != refused && world.phase(0) == Phase::Active);
    sound(&world);
}

/// 39 and 40.
#[test]
fn two_processes_that_refresh_at_once_both_get_an_access_token() {
    let mut world = refreshing(2);
    world.feed(1, Event::Ask);
    world.run(1);
    world.pass(Seconds::new(1));
    assert_eq!(world.packets.len(), 2);
    world.settle();
    assert_eq!((world.workers[0].delivered.len(), world.workers[1].delivered.len()), (1, 1));
    assert_eq!((world.times("server: rotated"), world.times("server: repeated")), (1, 1));
    assert!(world.times("Conflict") > 0, "the two never met");
    sound(&world);
}

/// 41.
#[test]
fn a_clock_that_is_an_hour_off_causes_no_refresh_and_a_jump_at_most_one() {
    for skew in [-3_600_000i64, 0, 3_600_000] {
        let mut world = World::new(1);
        world.skew = skew;
        world.settle();
        world.sign_in(0);
        world.settle();
        for _ in 0..20 {
            assert_eq!(world.ask(0), 1);
        }
        assert_eq!(world.times("server: rotated"), 0, "{skew}");
        world.skew = -2 * skew;
        for _ in 0..20 {
            assert_eq!(world.ask(0), 1);
        }
        assert_eq!(world.times("server: rotated"), u32::from(skew != 0), "{skew}");
        sound(&world);
    }
}

/// 41: why an access token is anchored at its request, and not at an offset to the server's clock that is
/// taken when the answer comes: an answer that took 500 seconds would make a dead token look alive.
#[test]
fn an_answer_that_took_long_does_not_make_a_dead_token_look_alive() {
    let mut world = refreshing(1);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    let made_at = world.now();
    world.pass(Seconds::new(500));
    let offset = world.now().as_millis() - made_at.as_millis();
    world.settle();
    world.pass(Seconds::new(200));
    // By the offset the token, which lives for 600 seconds, would end in 400.
    assert!(world.now().as_millis() - offset < made_at.plus(Seconds::new(600)).as_millis());
    assert!(world.now() > made_at.plus(Seconds::new(600)), "it is dead");
    assert!(!world.workers[0].state.held().unwrap().is_alive(world.now()));
    world.ask(0);
    assert_eq!(world.times("server: rotated"), 2);
    sound(&world);
}

/// 42.
#[test]
fn storage_that_is_locked_is_not_taken_for_signed_out() {
    let mut world = World::signed_in(1);
    let stored = world.storage.bytes.clone();
    world.storage.is_locked = true;
    world.crash(0);
    world.feed(0, Event::Ask);
    world.run(0);
    assert_eq!((world.phase(0), world.workers[0].state.fault()), (Phase::Unavailable, Some(Fault::Locked)));
    assert!(world.workers[0].has_heard(Notice::Storage(Fault::Locked)));
    assert_eq!(world.feed(0, Event::SignOut), Outcome::Refused);
    world.run(0);
    assert_eq!((&world.storage.bytes, world.packets.len()), (&stored, 0));
    world.settle();
    assert_eq!((world.phase(0), world.ask(0)), (Phase::Active, 1));
    assert!(!world.has_heard(0, Why::SignedOut));
    sound(&world);
}

/// 42, while an answer is stored: the access token is good, the refresh token is stored later.
#[test]
fn storage_that_locks_before_an_answer_is_stored_costs_nothing() {
    let mut world = refreshing(1);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    let letter = world.letters.remove(0);
    world.storage.is_locked = true;
    world.arrive(&letter);
    world.run(0);
    assert_eq!((world.phase(0), world.workers[0].delivered.len()), (Phase::Storing, 1));
    world.settle();
    assert_eq!((world.phase(0), world.generation(0)), (Phase::Active, 1));
    world.pass(EXPIRED);
    assert_eq!(world.ask(0), 1);
    assert_eq!(world.times("server: repeated"), 0);
    sound(&world);
}

/// 43.
#[test]
fn without_a_network_the_access_token_is_served_to_its_end_and_the_refresh_goes_on() {
    let mut world = World::signed_in(1);
    world.pass(Seconds::new(560));
    for _ in 0..10 {
        world.feed(0, Event::Ask);
        world.run(0);
        for packet in std::mem::take(&mut world.packets) {
            world.fail(&packet, None);
        }
        for letter in std::mem::take(&mut world.letters) {
            world.arrive(&letter);
        }
        world.feed(0, Event::Wake);
        world.run(0);
    }
    assert_eq!(world.workers[0].delivered.len(), 10);
    assert!(!world.workers[0].has_heard(Notice::Unreachable));
    world.pass(Seconds::new(60));
    for packet in std::mem::take(&mut world.packets) {
        world.fail(&packet, Some(502));
    }
    for letter in std::mem::take(&mut world.letters) {
        world.arrive(&letter);
    }
    world.feed(0, Event::Ask);
    world.run(0);
    assert!(world.workers[0].has_heard(Notice::Unreachable));
    assert_eq!(world.phase(0), Phase::Ambiguous);
    world.feed(0, Event::Reconnect);
    world.settle();
    assert_eq!((world.phase(0), world.ask(0)), (Phase::Active, 1));
    sound(&world);
}

/// 20.
#[test]
fn a_stale_refresh_never_touches_the_session_of_a_new_sign_in() {
    let mut world = refreshing(2);
    world.sign_in(1);
    world.run(1);
    let new = world.workers[1].state.held().unwrap().attempt().session;
    world.settle();
    for worker in 0..2 {
        assert_eq!(world.ask(worker), 1);
        assert_eq!(world.workers[worker].state.held().unwrap().attempt().session, new);
    }
    let old = world.times("server: revoke");
    assert_eq!(old, 1, "the session before is revoked");
    sound(&world);
}

/// 9: a thief who is more than one rotation ahead is found by the client.
#[test]
fn a_client_whose_session_somebody_moved_on_revokes_it_and_says_why() {
    let mut world = World::signed_in(1);
    let mut thief = Thief::steal(&mut world, false).unwrap();
    assert!(thief.refresh(&mut world) && thief.refresh(&mut world) && thief.refresh(&mut world));
    world.pass(EXPIRED);
    assert_eq!(world.ask(0), 0);
    assert!(world.has_heard(0, Why::UsedElsewhere));
    assert_eq!((world.phase(0), world.times("server: revoke")), (Phase::Reauthenticate, 1));
    assert!(!thief.refresh(&mut world), "the thief goes on");
    // The user is still told after a crash, and can sign in again.
    world.crash(0);
    world.settle();
    assert_eq!(world.workers[0].state.why(), Some(Why::UsedElsewhere));
    world.sign_in(0);
    world.settle();
    assert_eq!(world.ask(0), 1);
    sound(&world);
}

/// 9: told `superseded`, a process that holds an old token while storage cannot be written revokes nothing.
#[test]
fn without_storage_nobody_is_revoked_for_a_token_that_another_process_replaced() {
    let mut world = refreshing(2);
    let stale = world.packets.remove(0);
    for _ in 0..3 {
        world.pass(EXPIRED);
        world.feed(1, Event::Ask);
        world.run(1);
        let packet = world.packets.remove(0);
        world.serve(&packet);
        let letter = world.letters.remove(0);
        world.arrive(&letter);
        world.run(1);
    }
    world.serve(&stale);
    let superseded = world.letters.remove(0);
    world.storage.is_locked = true;
    world.arrive(&superseded);
    world.run(0);
    assert_eq!((world.phase(0), world.packets.len()), (Phase::Unavailable, 0));
    world.settle();
    world.pass(EXPIRED);
    assert_eq!((world.ask(0), world.ask(1)), (1, 1));
    assert_eq!(world.times("server: revoke"), 0);
    sound(&world);
}

#[test]
fn damaged_storage_is_no_sign_out_and_a_sign_in_mends_it() {
    let mut world = World::signed_in(1);
    let mut torn = world.storage.bytes.clone().unwrap();
    torn.truncate(100);
    world.store(Some(torn));
    world.crash(0);
    world.settle();
    assert_eq!(world.workers[0].state.fault(), Some(Fault::Damaged));
    world.sign_in(0);
    world.settle();
    assert_eq!((world.phase(0), world.ask(0)), (Phase::Active, 1));
    sound(&world);
}

#[test]
fn nothing_that_is_shown_of_a_client_holds_a_secret() {
    use safeconduct::core::session::invariants::holds_no_secret;
    let mut world = refreshing(1);
    let Content::Held(held) = record::read(world.storage.bytes.as_deref().unwrap()).unwrap().content else { panic!() };
    let Rule::Committed { next } = &held.rule else { panic!() };
    let (token, access) = (held.token.to_text(), held.access.as_ref().unwrap().token.clone());
    let packet = world.packets.remove(0);
    world.serve(&packet);
    let letter = world.letters.remove(0);
    world.arrive(&letter);
    let actions: Vec<&Action> = world.workers[0].todo.iter().collect();
    let loaded = Event::Loaded(world.storage.bytes.clone().map(Zeroizing::new));
    let shown = format!("{:?} {actions:?} {loaded:?} {held:?} {:?}", world.workers[0].state, world.ledger);
    let secrets = [next.expose().as_slice(), token.as_bytes(), access.as_bytes()];
    assert_eq!(holds_no_secret(shown.as_bytes(), &secrets), Ok(()));
    let record = format!("{:?}", record::read(world.storage.bytes.as_deref().unwrap()));
    assert_eq!(holds_no_secret(record.as_bytes(), &secrets), Ok(()));
    assert!(holds_no_secret(world.storage.bytes.as_deref().unwrap(), &secrets).is_err(), "the check sees nothing");
}
