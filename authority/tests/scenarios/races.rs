//! Many requests with one token at once: one rotation, whoever wins.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use safeconduct::core::session::outcome::Outcome;
use safeconduct::core::session::policy::Settings;
use safeconduct::core::session::state::Replay;

use crate::bed::{Bed, Deployment, REVOKED, on_every_store, outcome};
use crate::client::{Client, RULES};
use crate::flawed::{Flaw, Flawed};
use crate::interposed::{Interposed, Moment};

/// What each of `clients` is told when all send at once, and the successor that it was given.
fn race(deployment: &Deployment, clients: &[Client]) -> Vec<(Outcome, Option<(u32, String)>)> {
    let gate = Barrier::new(clients.len());
    let one = |client: &Client| {
        let mut client = client.clone();
        gate.wait();
        let answer = client.send(deployment);
        let successor = answer.as_ref().ok().map(|granted| {
            client.receive(&granted.grant);
            (client.generation(), client.token.clone())
        });
        (outcome(&answer), successor)
    };
    std::thread::scope(|threads| {
        let started: Vec<_> = clients.iter().map(|client| threads.spawn(|| one(client))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn count(answers: &[(Outcome, Option<(u32, String)>)], outcome: Outcome) -> usize {
    answers.iter().filter(|(other, _)| *other == outcome).count()
}

/// Says what is wrong with the answers to one request sent `many` times at once.
fn same_request(bed: &Bed, rule: Replay, many: usize) -> Result<(), String> {
    let deployment = bed.deployment();
    let client = Client::sign_in(&deployment, rule);
    let answers = race(&deployment, &vec![client; many]);
    if count(&answers, Outcome::Rotated) != 1 || count(&answers, Outcome::Repeated) != many - 1 {
        return Err(format!("{rule:?}: {} rotations", count(&answers, Outcome::Rotated)));
    }
    let successors: BTreeSet<_> = answers.iter().filter_map(|(_, successor)| successor.clone()).collect();
    if successors.len() != 1 || !successors.iter().all(|(generation, _)| *generation == 1) {
        return Err(format!("{rule:?}: {} successors", successors.len()));
    }
    if deployment.decided(Outcome::Rotated) != 1 {
        return Err("more than one rotation is noted".into());
    }
    Ok(())
}

/// Says what is wrong with the answers to `many` requests that differ in their next secret.
fn divergent_requests(bed: &Bed, many: usize) -> Result<(), String> {
    let deployment = bed.deployment();
    let client = Client::sign_in(&deployment, Replay::Committed);
    let thieves: Vec<Client> = (0..many).map(|_| client.token_thief()).collect();
    let answers = race(&deployment, &thieves);
    let (rotated, found) = (count(&answers, Outcome::Rotated), count(&answers, Outcome::ReuseDetected));
    if (rotated, found, count(&answers, REVOKED)) != (1, 1, many - 2) {
        return Err(format!("{rotated} rotations, found {found} times"));
    }
    let winner = answers.into_iter().find_map(|(_, successor)| successor).map(|(_, token)| token);
    let winner = Client { token: winner.unwrap(), ..client };
    match outcome(&winner.send(&deployment)) {
        REVOKED => Ok(()),
        other => Err(format!("the winner goes on: {other:?}")),
    }
}

/// Scenario 15.
#[test]
fn sixty_four_senders_of_one_request_get_one_successor() {
    on_every_store(|bed| {
        for rule in RULES {
            for many in [5, 64] {
                same_request(bed, rule, many).unwrap();
            }
        }
    });
}

/// Scenario 16.
#[test]
fn of_sixty_four_divergent_requests_one_wins_and_the_next_one_ends_the_session() {
    on_every_store(|bed| {
        for _ in 0..5 {
            divergent_requests(bed, 64).unwrap();
        }
    });
}

/// Scenarios 15 and 16 can fail.
#[test]
fn a_store_that_compares_nothing_is_caught_by_both_races() {
    let wrong = Flawed::memory(Flaw::ComparesNothing);
    assert!((0..200).any(|_| same_request(&wrong, Replay::Committed, 64).is_err()));
    assert!((0..200).any(|_| divergent_requests(&wrong, 64).is_err()));
}

/// Says what is wrong where B reads, A rotates with the same token, and B commits.
fn late_loser(bed: &Bed, rule: Replay) -> Result<(), String> {
    let interposed = Interposed::over(bed.store.clone());
    let slow = Deployment::over(interposed.store(), Settings::default());
    let fast = Arc::new(bed.deployment());
    let mut client = Client::sign_in(&fast, rule);
    let (a, early) = (client.clone(), Arc::clone(&fast));
    interposed.arm(Moment::Before(1), move || assert_eq!(outcome(&a.send(&early)), Outcome::Rotated));
    match client.refresh(&slow) {
        Outcome::Repeated => {}
        other => return Err(format!("the loser is told {other:?}")),
    }
    assert!(!interposed.disarm());
    crate::client::past_pause(&slow);
    crate::client::past_pause(&fast);
    match client.refresh(&fast) {
        Outcome::Rotated => Ok(()),
        other => Err(format!("the winner's token meets {other:?}")),
    }
}

/// Scenario 17.
#[test]
fn a_late_loser_is_decided_again_and_the_winners_token_stays_good() {
    on_every_store(|bed| {
        for rule in RULES {
            late_loser(bed, rule).unwrap();
        }
    });
    assert!(late_loser(&Flawed::memory(Flaw::ComparesNothing), Replay::Committed).is_err());
}

/// Scenario 17, where the loser's request differs: it is found out, by the bytes as they are now.
#[test]
fn a_late_thief_is_found_although_it_read_the_session_before_the_rotation() {
    on_every_store(|bed| {
        let interposed = Interposed::over(bed.store.clone());
        let slow = Deployment::over(interposed.store(), Settings::default());
        let fast = Arc::new(bed.deployment());
        let client = Client::sign_in(&fast, Replay::Committed);
        let thief = client.token_thief();
        interposed.arm(Moment::Before(1), move || {
            assert_eq!(outcome(&client.send(&fast)), Outcome::Rotated);
        });
        assert_eq!(outcome(&thief.send(&slow)), Outcome::ReuseDetected);
    });
}
