//! The libraries, a file each.

pub(crate) mod jsonwebtoken;
pub(crate) mod jwt_compact;
pub(crate) mod jwt_simple;
pub(crate) mod oxitoken;
pub(crate) mod safeconduct;
