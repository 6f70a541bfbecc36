//! Runs what is promised to be constant-time with its secrets marked, for memcheck to watch.
//!
//! `safeconduct-ct` lists its cases, `safeconduct-ct CASE` runs one. Secrets are marked as undefined memory:
//! memcheck then reports each branch and each address that depends on them. `ct/run` runs every case and reads
//! the reports; `spec/constant-time.md` says what follows from them.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that is run by another; a panic is a failure")]

mod case;
mod cases;
mod declassify;
mod memcheck;
mod naive;

use std::process::ExitCode;

use case::{Case, Expected};

fn main() -> ExitCode {
    let cases: Vec<&Case> = cases::ALL.iter().copied().flatten().chain(naive::ALL).collect();
    let Some(name) = std::env::args().nth(1) else {
        for case in cases {
            list(case);
        }
        return ExitCode::SUCCESS;
    };
    let Some(case) = cases.into_iter().find(|case| case.name == name) else {
        println!("there is no case {name}");
        return ExitCode::FAILURE;
    };
    if !memcheck::is_watching() {
        println!("nobody is watching: run this under valgrind, or ct/run");
        return ExitCode::FAILURE;
    }
    (case.run)();
    ExitCode::SUCCESS
}

/// A line for the case and one for each of its places, in columns parted by tabs.
fn list(case: &Case) {
    match case.expected {
        Expected::Reported => println!("naive\t{}", case.name),
        Expected::Clean(places) => {
            println!("promised\t{}", case.name);
            for place in places {
                println!("place\t{}\t{}\t{}\t{}", place.file, place.line, place.from, place.reason);
            }
        }
    }
}
