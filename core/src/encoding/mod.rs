//! Text forms: base64url without padding, and strict JSON.

pub mod base64url;
pub mod json;
