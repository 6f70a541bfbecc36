//! What every engine must do, as cases that run over a store.
//!
//! ```
//! use safeconduct::conformance::CASES;
//! use safeconduct::store::MemoryStore;
//!
//! for case in CASES {
//!     case.run(&MemoryStore::new()).unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
//! }
//! ```
//!
//! Each case draws subjects of its own, so the store may hold other records, be used by others meanwhile
//! and be used again; cases add a few megabytes and leave their records behind. Records that must stay
//! expire an hour after the run.
//!
//! That the cases can fail is shown by `tests/wrong_stores.rs`: stores with one mistake each, and the
//! case that finds it.

mod collection;
mod draft;
mod log;
mod races;
mod reads;
mod records;

use core::fmt;

use crate::store::{Store, StoreError};

/// One thing that an engine must do.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What it must do, as a sentence.
    pub name: &'static str,
    body: fn(&dyn Store) -> Result<(), Failure>,
}

impl Case {
    const fn new(name: &'static str, body: fn(&dyn Store) -> Result<(), Failure>) -> Self {
        Self { name, body }
    }

    /// Runs the case over `store`.
    ///
    /// # Errors
    /// [`Failure`] says what the store did instead. An engine for which any case fails must not be used.
    pub fn run(&self, store: &dyn Store) -> Result<(), Failure> {
        (self.body)(store)
    }
}

/// All cases.
pub const CASES: &[Case] = &[
    Case::new("a_record_is_read_back_as_it_was_written", records::a_record_is_read_back_as_it_was_written),
    Case::new("kinds_of_key_are_kept_apart", records::kinds_of_key_are_kept_apart),
    Case::new("the_deployment_record_is_a_record", records::the_deployment_record_is_a_record),
    Case::new("a_create_never_overwrites", records::a_create_never_overwrites),
    Case::new("a_stale_version_conflicts", records::a_stale_version_conflicts),
    Case::new("a_version_is_compared_in_all_its_bits", records::a_version_is_compared_in_all_its_bits),
    Case::new("what_is_expected_but_not_written_is_compared", records::what_is_expected_but_not_written_is_compared),
    Case::new("a_commit_that_writes_nothing_compares", records::a_commit_that_writes_nothing_compares),
    Case::new("a_conflict_writes_nothing", records::a_conflict_writes_nothing),
    Case::new("a_blind_write_overwrites_nothing", records::a_blind_write_overwrites_nothing),
    Case::new("a_deleted_record_is_absent", records::a_deleted_record_is_absent),
    Case::new("a_get_answers_in_the_order_of_its_keys", reads::a_get_answers_in_the_order_of_its_keys),
    Case::new("a_get_sees_one_moment", reads::a_get_sees_one_moment),
    Case::new("a_list_is_in_order_and_paged", reads::a_list_is_in_order_and_paged),
    Case::new("a_list_holds_the_sessions_of_one_subject", reads::a_list_holds_the_sessions_of_one_subject),
    Case::new("a_page_may_follow_a_session_that_is_gone", reads::a_page_may_follow_a_session_that_is_gone),
    Case::new("one_of_many_creates_wins", races::one_of_many_creates_wins),
    Case::new("each_version_is_replaced_once", races::each_version_is_replaced_once),
    Case::new("write_skew_is_a_conflict", races::write_skew_is_a_conflict),
    Case::new("commits_with_nothing_in_common_do_not_conflict", races::commits_with_nothing_in_common_do_not_conflict),
    Case::new("the_log_is_read_on_from_a_cursor", log::the_log_is_read_on_from_a_cursor),
    Case::new("the_log_takes_any_bytes", log::the_log_takes_any_bytes),
    Case::new("the_log_is_told_apart_by_partition", log::the_log_is_told_apart_by_partition),
    Case::new("a_cursor_for_fewer_partitions_hides_nothing", log::a_cursor_for_fewer_partitions_hides_nothing),
    Case::new("reads_of_a_busy_log_miss_nothing", log::reads_of_a_busy_log_miss_nothing),
    Case::new("a_foreign_cursor_is_not_complete", log::a_foreign_cursor_is_not_complete),
    Case::new("live_records_are_not_collected", collection::live_records_are_not_collected),
    Case::new("a_prolonged_record_is_not_collected", collection::a_prolonged_record_is_not_collected),
    Case::new("live_log_entries_are_not_collected", collection::live_log_entries_are_not_collected),
];

/// What a store did instead of what it must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("the store answered with the error {}: {error}", error.reason()))
    }
}

fn require(holds: bool, otherwise: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure(otherwise.into())) }
}
