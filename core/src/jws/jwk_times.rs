//! The members of a JWK that say when the key is good: `iat`, `nbf`, `exp` and `revoked` ([OpenID Federation 1.0]).
//!
//! Refuses times that are not integers from 0 to 2^53 − 1 and times that cannot follow each other: a key that would
//! sign before it was published, or end before it signs.
//!
//! [OpenID Federation 1.0]: https://openid.net/specs/openid-federation-1_0.html

use alloc::string::String;

use super::KeyError;
use super::jwk;
use super::schedule::{Schedule, Tombstone, WithdrawalReason};
use crate::encoding::json::{Object, Writer};
use crate::time::Timestamp;

/// The times of a key. Those that are left out are those of [`Schedule::ALWAYS`].
pub(super) fn schedule(jwk: Object<'_>) -> Result<Schedule, KeyError> {
    let signs_from = time(jwk, "nbf")?;
    let schedule = Schedule {
        // Without `nbf` it has always signed, whenever it was made.
        published_at: time(jwk, "iat")?.filter(|_| signs_from.is_some()).unwrap_or(Schedule::ALWAYS.published_at),
        signs_from: signs_from.unwrap_or(Schedule::ALWAYS.signs_from),
        kept_until: time(jwk, "exp")?.unwrap_or(Schedule::ALWAYS.kept_until),
    };
    if schedule.is_in_order() { Ok(schedule) } else { Err(KeyError::BadSchedule) }
}

/// What a withdrawn key leaves; `None` for a key that was not withdrawn. Its other members are not read.
pub(super) fn tombstone(jwk: Object<'_>) -> Option<Result<Tombstone, KeyError>> {
    let revoked = jwk.get("revoked")?;
    let read = || {
        let revoked = revoked.as_object().ok_or(KeyError::BadSchedule)?;
        let reason = match revoked.get("reason") {
            None => WithdrawalReason::Unspecified,
            Some(reason) => {
                let mut buffer = [0; 16];
                let reason = reason.as_text().ok_or(KeyError::BadSchedule)?.decoded(&mut buffer);
                reason.and_then(WithdrawalReason::from_name).unwrap_or_default()
            }
        };
        Ok(Tombstone {
            kid: jwk::kid(jwk)?.filter(|kid| !kid.is_empty()).ok_or(KeyError::BadKeyId)?,
            algorithm: jwk::algorithm(jwk).ok().flatten(),
            schedule: schedule(jwk)?,
            withdrawn_at: time(revoked, "revoked_at")?.ok_or(KeyError::BadSchedule)?,
            reason,
        })
    };
    Some(read())
}

fn time(jwk: Object<'_>, name: &str) -> Result<Option<Timestamp>, KeyError> {
    let Some(value) = jwk.get(name) else { return Ok(None) };
    let seconds = value.as_number().and_then(|number| number.as_u64()).ok_or(KeyError::BadSchedule)?;
    Ok(Some(Timestamp::from_unix_seconds(seconds)))
}

/// Writes the times that are not those of [`Schedule::ALWAYS`].
pub(super) fn write_schedule(jwk: &mut Writer, schedule: &Schedule) {
    let Schedule { published_at, signs_from, kept_until } = schedule;
    if signs_from > &Schedule::ALWAYS.signs_from {
        jwk.integer("iat", published_at.as_unix_seconds()).integer("nbf", signs_from.as_unix_seconds());
    }
    if kept_until < &Schedule::ALWAYS.kept_until {
        jwk.integer("exp", kept_until.as_unix_seconds());
    }
}

/// A withdrawn key: its name and times, and nothing that could sign or verify.
pub(super) fn write_tombstone(tombstone: &Tombstone) -> String {
    let mut revoked = Writer::with_capacity(64);
    revoked.integer("revoked_at", tombstone.withdrawn_at.as_unix_seconds()).string("reason", tombstone.reason.name());
    let mut jwk = Writer::with_capacity(256);
    jwk.string("kid", &tombstone.kid);
    if let Some(algorithm) = tombstone.algorithm {
        jwk.string("alg", algorithm.name());
    }
    write_schedule(&mut jwk, &tombstone.schedule);
    jwk.raw("revoked", &revoked.finish());
    jwk.finish()
}
