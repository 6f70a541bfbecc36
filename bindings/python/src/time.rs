//! Lengths and points of time as Python writes them.

use std::time::Duration;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyFloat, PyTzInfo, PyTzInfoAccess};
use safeconduct::core::time::{Seconds, Timestamp};

/// A length: `timedelta`, or a number of seconds. Whole seconds only, so that nothing is rounded unseen.
pub(crate) struct Length(pub(crate) Seconds);

impl<'py> FromPyObject<'_, 'py> for Length {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let not_whole = || PyValueError::new_err("a length of time is a whole number of seconds, zero or more");
        refuse_bool(value)?;
        let seconds = if value.is_instance_of::<PyDelta>() {
            let length: Duration = value.extract().map_err(|_| not_whole())?;
            if length.subsec_nanos() != 0 {
                return Err(not_whole());
            }
            length.as_secs()
        } else if let Ok(float) = value.cast::<PyFloat>() {
            whole(float.extract()?).ok_or_else(not_whole)?
        } else {
            integer(value, not_whole)?
        };
        Ok(Self(Seconds::new(seconds)))
    }
}

/// The end of the year 9999: no `datetime` is later. Whoever counts milliseconds is far beyond it.
const LATEST: u64 = 253_402_300_799_999;

/// A point: Unix seconds, whole or not, to the millisecond.
#[derive(Clone, Copy)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for Instant {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        refuse_bool(value)?;
        let millis = match value.cast::<PyFloat>() {
            Ok(float) => {
                let seconds: f64 = float.extract()?;
                whole((seconds * 1000.0).round()).ok_or_else(not_a_time)?
            }
            Err(_) => Timestamp::from_unix_seconds(integer(value, not_a_time)?).as_millis(),
        };
        if millis > LATEST {
            return Err(not_a_time());
        }
        Ok(Self(Timestamp::from_millis(millis)))
    }
}

/// A point: Unix seconds or an aware `datetime`.
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for Moment {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let Ok(datetime) = value.cast::<PyDateTime>() else {
            return value.extract::<Instant>().map(|instant| Self(instant.0));
        };
        if datetime.get_tzinfo().is_none() {
            return Err(PyTypeError::new_err("a datetime without a time zone names no moment: give it a tzinfo"));
        }
        let epoch = PyDateTime::from_timestamp(py, 0.0, Some(&PyTzInfo::utc(py)?.to_owned()))?;
        let since: Duration = datetime.sub(epoch)?.extract().map_err(|_| not_a_time())?;
        Ok(Self(Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(LATEST))))
    }
}

/// An aware `datetime` in UTC.
pub(crate) fn datetime(py: Python<'_>, time: Timestamp) -> PyResult<Bound<'_, PyDateTime>> {
    #[allow(clippy::cast_precision_loss)]
    let seconds = time.as_millis() as f64 / 1000.0;
    PyDateTime::from_timestamp(py, seconds, Some(&PyTzInfo::utc(py)?.to_owned()))
}

/// A `timedelta`.
pub(crate) const fn timedelta(length: Seconds) -> Duration {
    Duration::from_secs(length.get())
}

fn not_a_time() -> PyErr {
    PyValueError::new_err("a time is a number of Unix seconds (not milliseconds) from 0 to the end of the year 9999")
}

/// An `int`; one that is negative or has over 64 bits is `wrong`.
fn integer(value: Borrowed<'_, '_, PyAny>, wrong: impl FnOnce() -> PyErr) -> PyResult<u64> {
    value
        .extract()
        .map_err(|error: PyErr| if error.is_instance_of::<PyOverflowError>(value.py()) { wrong() } else { error })
}

/// `True` is an `int` to Python, and never a time.
fn refuse_bool(value: Borrowed<'_, '_, PyAny>) -> PyResult<()> {
    if value.is_instance_of::<PyBool>() { Err(PyTypeError::new_err("a time is a number, not a bool")) } else { Ok(()) }
}

/// The integer that a float is, where it is one and not negative.
fn whole(float: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let in_range = (0.0..9e15).contains(&float) && float.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    in_range.then_some(float as u64)
}
