//! What an HTTP answer that grants nothing means to a refresh, as `spec/http.md` says: by its reason, by
//! its OAuth error where the reason is not known, and by its status where there is neither.

use alloc::string::String;

use crate::client::event::Reply;
use crate::client::state::Why;
use crate::time::Seconds;

/// An answer other than 200, as far as it could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refused<'a> {
    /// The status.
    pub status: u16,
    /// `error` of the body ([RFC 6749 section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
    pub error: Option<&'a str>,
    /// `reason` of the body.
    pub reason: Option<&'a str>,
    /// `challenge` of the body.
    pub challenge: Option<&'a str>,
    /// The header `DPoP-Nonce`.
    pub nonce: Option<&'a str>,
    /// The header `Retry-After`, where it is in seconds.
    pub retry_after: Option<Seconds>,
}

/// What it means. Nothing but a 400 with `invalid_grant` ends a session, so that neither a proxy nor a
/// server in trouble signs anybody out.
pub fn verdict(answer: &Refused<'_>) -> Reply {
    let later = Reply::Later(answer.retry_after.unwrap_or(Seconds::ZERO));
    match (answer.status, answer.error.unwrap_or_default(), answer.reason.unwrap_or_default()) {
        (409, "superseded", _) => match answer.challenge {
            Some(challenge) => Reply::Superseded(Some(String::from(challenge))),
            None => later,
        },
        (400, "invalid_grant", "superseded") => Reply::Superseded(None),
        (400, "invalid_grant", reason) => Reply::Ended(Why::from_reason(reason)),
        (400, "use_dpop_nonce", _) => match answer.nonce {
            Some(nonce) => Reply::NonceRequired(String::from(nonce)),
            None => later,
        },
        (408 | 429 | 500.., _, _) => later,
        (400..=499, "", _) => later,
        (400..=499, _, _) => Reply::Mend,
        _ => later,
    }
}
