//! The client under the rules where the server derives the next token.

use safeconduct::core::client::event::Event;
use safeconduct::core::client::record::{self, Content};
use safeconduct::core::client::{Rule, Why, transition};
use safeconduct::core::session::state::Replay;
use safeconduct::core::time::Seconds;
use zeroize::Zeroizing;

use crate::world::World;

const EXPIRED: Seconds = Seconds::new(700);

#[test]
fn a_browser_rule_is_followed_with_challenge_and_pause() {
    let mut world = World::with(transition, 1, World::window());
    world.settle();
    world.sign_in(0);
    world.settle();
    world.pass(EXPIRED);
    assert_eq!(world.ask(0), 1);
    // Within the window of its rotation the token stays, and is no reason to store an older one.
    let refused = world.workers[0].delivered.last().unwrap().clone();
    world.feed(0, Event::Reject(Zeroizing::new(refused)));
    world.settle();
    assert_eq!((world.times("server: paused"), world.generation(0)), (1, 1));
    assert_eq!(world.broken, None);
}

/// What no client without a next secret of its own can be spared: a reply that was lost for longer than
/// the window is a theft to the server.
#[test]
fn under_a_window_a_reply_that_is_lost_for_long_ends_the_session_by_the_challenge() {
    let mut world = World::with(transition, 1, World::window());
    world.settle();
    world.sign_in(0);
    world.settle();
    world.pass(EXPIRED);
    world.feed(0, Event::Ask);
    world.run(0);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    world.letters.clear();
    world.fail(&packet, None);
    world.pass(EXPIRED);
    world.settle();
    assert_eq!(world.times("server: superseded"), 1);
    assert!(world.has_heard(0, Why::ReuseDetected));
}

#[test]
fn a_bound_session_carries_the_nonce_of_its_token_and_repeats_a_day_later() {
    let mut world = World::with(transition, 1, Replay::Bound);
    world.settle();
    world.sign_in(0);
    world.settle();
    for _ in 0..3 {
        world.pass(EXPIRED);
        assert_eq!(world.ask(0), 1);
    }
    assert_eq!(world.generation(0), 3);
    world.pass(EXPIRED);
    world.feed(0, Event::Ask);
    world.run(0);
    let packet = world.packets.remove(0);
    world.serve(&packet);
    world.letters.clear();
    world.crash(0);
    world.pass(Seconds::days(1));
    assert_eq!(world.ask(0), 1);
    assert_eq!((world.times("server: repeated"), world.times("server: nonce_required")), (1, 0));
    // The nonce is lost: it is asked for, once.
    let Content::Held(mut held) = record::read(world.storage.bytes.as_deref().unwrap()).unwrap().content else {
        panic!()
    };
    held.rule = Rule::Bound { nonce: None };
    held.access = None;
    world.store(Some(record::write_held(&held, &[]).to_vec()));
    world.crash(0);
    assert_eq!(world.ask(0), 1);
    assert_eq!(world.times("server: nonce_required"), 1);
    assert_eq!(world.broken, None);
}
