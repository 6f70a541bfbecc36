//! What must stop before it expires, and who has heard of it.

pub mod entry;
pub mod view;
