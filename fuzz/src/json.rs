//! The JSON reader against a second one, serde_json: what is accepted both read alike, and what is refused is refused
//! for a reason that the second one's tree shows to be true.
//!
//! An input is a document as it is.

use safeconduct_core::encoding::json::{self, JsonError, MAX_DEPTH, MAX_LEN, MAX_NAMES, Object, Text, Value, Writer};
use serde_json::de::SliceRead;

use crate::{Broken, Judged, hold};

mod second;

/// A value, owned. Numbers are kept as they are written, members in their order, and twice where they stand twice.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// What is under test.
pub type Reader = fn(&[u8]) -> Result<Tree, JsonError>;

/// The real one.
pub fn read(document: &[u8]) -> Result<Tree, JsonError> {
    json::object(document).map(|object| tree(Value::Object(object)))
}

/// What serde_json reads, where it accepts the document.
pub fn second(document: &[u8]) -> Option<Tree> {
    let mut deserializer = serde_json::Deserializer::new(SliceRead::new(document));
    let tree = serde::Deserialize::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(tree)
}

/// The target.
pub fn run(data: &[u8], reader: Reader) -> Judged {
    // By this name serde_json tells itself that a map is a number.
    const PRIVATE: &[u8] = b"$serde_json::private::";
    if data.windows(PRIVATE.len()).any(|window| window == PRIVATE) {
        return Ok(());
    }
    match (reader(data), second(data)) {
        (Ok(ours), None) => Err(Broken(format!("accepted what is not JSON: {ours:?}"))),
        (Err(_), None) => Ok(()),
        (Err(reason), Some(theirs)) => {
            hold(applies(reason, data, &theirs) != Some(false), || format!("refused as {reason:?}: {theirs:?}"))
        }
        (Ok(ours), Some(theirs)) => {
            for reason in REASONS {
                hold(applies(reason, data, &theirs) != Some(true), || format!("accepted in spite of {reason:?}"))?;
            }
            hold(same(&ours, &theirs), || format!("read differently: {ours:?} {theirs:?}"))?;
            json::object(data).map_or(Ok(()), every_way_to_read_is_one)
        }
    }
}

/// For what a document may be refused that serde_json accepts. Not among them: bad UTF-8 and bad syntax, which it
/// refuses too.
pub const REASONS: [JsonError; 7] = [
    JsonError::TooLarge,
    JsonError::TooDeep,
    JsonError::TooManyMembers,
    JsonError::BadEscape,
    JsonError::NumberOutOfRange,
    JsonError::DuplicateMember,
    JsonError::NotAnObject,
];

/// Whether a document has to be refused for `reason`; nothing where a number lies so near to the limit that it may.
fn applies(reason: JsonError, document: &[u8], tree: &Tree) -> Option<bool> {
    Some(match reason {
        JsonError::TooLarge => document.len() > MAX_LEN,
        JsonError::TooDeep => depth(tree) > MAX_DEPTH,
        JsonError::TooManyMembers => most_open_names(tree, 0) > MAX_NAMES,
        JsonError::BadEscape => any(tree, &|value| match value {
            Tree::String(text) => text.contains('\0'),
            Tree::Object(members) => members.iter().any(|(name, _)| name.contains('\0')),
            _ => false,
        }),
        JsonError::NumberOutOfRange => {
            let is = |fits: Option<bool>| move |value: &Tree| matches!(value, Tree::Number(text) if number_fits(text) == fits);
            if !any(tree, &is(Some(false))) && any(tree, &is(None)) {
                return None;
            }
            any(tree, &is(Some(false)))
        }
        JsonError::DuplicateMember => any(tree, &|value| match value {
            Tree::Object(members) => {
                let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1])
            }
            _ => false,
        }),
        JsonError::NotAnObject => !matches!(tree, Tree::Object(_)),
        JsonError::NotUtf8 | JsonError::Syntax => false,
    })
}

/// Whether `is` holds for the value or one within it.
fn any(value: &Tree, is: &dyn Fn(&Tree) -> bool) -> bool {
    is(value)
        || match value {
            Tree::Array(elements) => elements.iter().any(|element| any(element, is)),
            Tree::Object(members) => members.iter().any(|(_, member)| any(member, is)),
            _ => false,
        }
}

/// How many objects and arrays lie inside each other.
fn depth(value: &Tree) -> usize {
    match value {
        Tree::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Tree::Object(members) => 1 + members.iter().map(|(_, member)| depth(member)).max().unwrap_or(0),
        _ => 0,
    }
}

/// The most names that were read, at any place, of the objects which are still open there, `open` of them before.
fn most_open_names(value: &Tree, open: usize) -> usize {
    match value {
        Tree::Array(elements) => elements.iter().map(|element| most_open_names(element, open)).max().unwrap_or(open),
        Tree::Object(members) => {
            let members = members.iter().zip(open + 1..);
            members.map(|((_, member), open)| most_open_names(member, open)).max().unwrap_or(open)
        }
        _ => open,
    }
}

/// Whether a plain integer fits 64 bits, and any other number lies from 10^-307 to 10^308 or is zero; nothing where
/// rounding to a double leaves that open.
fn number_fits(text: &str) -> Option<bool> {
    if !text.contains(['.', 'e', 'E']) {
        let integer = text.parse::<i128>();
        return Some(integer.is_ok_and(|value| (i64::MIN.into()..=u64::MAX.into()).contains(&value)));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    if !mantissa.contains(|digit: char| ('1'..='9').contains(&digit)) {
        return Some(true);
    }
    match text.parse::<f64>().map_or(0.0, f64::abs) {
        size if (1.001e-307..0.999e308).contains(&size) => Some(true),
        size if (0.999e-307..1.001e308).contains(&size) => None,
        _ => Some(false),
    }
}

/// Equal, but for how an exponent and zero are spelled.
fn same(ours: &Tree, theirs: &Tree) -> bool {
    match (ours, theirs) {
        (Tree::Number(ours), Tree::Number(theirs)) => plainly(ours) == plainly(theirs),
        (Tree::Array(ours), Tree::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Tree::Object(ours), Tree::Object(theirs)) => {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len() && pairs.all(|(ours, theirs)| ours.0 == theirs.0 && same(&ours.1, &theirs.1))
        }
        _ => ours == theirs,
    }
}

fn plainly(number: &str) -> String {
    if number == "-0" { "0".into() } else { number.replace('E', "e").replace("e+", "e") }
}

fn tree(value: Value<'_>) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Number(number) => Tree::Number(number.as_str().into()),
        Value::String(text) => Tree::String(text.to_string()),
        Value::Array(array) => Tree::Array(array.elements().map(tree).collect()),
        Value::Object(object) => Tree::Object(object.members().map(|m| (m.name.to_string(), tree(m.value))).collect()),
    }
}

/// All that the reader offers beside iteration says the same.
fn every_way_to_read_is_one(object: Object<'_>) -> Judged {
    let mut visited = Vec::new();
    let again = json::members(object.raw().as_bytes(), |member| visited.push((member.name.to_string(), member.raw)));
    hold(again.is_ok(), || "an object alone is not what it is within".into())?;
    let iterated: Vec<_> = object.members().map(|member| (member.name.to_string(), member.raw)).collect();
    hold(visited == iterated, || format!("visited {visited:?} iterated {iterated:?}"))?;
    for member in object.members() {
        text_is_one(member.name)?;
        let found = object.get(&member.name.to_string()).map(tree);
        hold(found == Some(tree(member.value)), || format!("{} leads to {found:?}", member.name))?;
        value_is_one(member.value)?;
    }
    Ok(())
}

fn value_is_one(value: Value<'_>) -> Judged {
    match value {
        Value::String(text) => text_is_one(text),
        Value::Number(number) => number_is_one(number),
        Value::Array(array) => array.elements().try_for_each(value_is_one),
        Value::Object(object) => every_way_to_read_is_one(object),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn text_is_one(text: Text<'_>) -> Judged {
    let whole = text.to_string();
    let mut buffer = vec![0; whole.len()];
    let mut writer = Writer::with_capacity(0);
    writer.string("a", &whole);
    let written = writer.finish();
    let read = json::object(written.as_bytes()).ok().and_then(|object| object.get("a")?.as_text());
    let one = text.chars().eq(whole.chars())
        && text.decoded(&mut buffer) == Some(&whole)
        && text.as_str().is_none_or(|plain| plain == whole)
        && text.is_empty() == whole.is_empty()
        && text.eq_str(&whole)
        && !text.eq_str(&format!("{whole}a"))
        && read == Some(text);
    hold(one, || format!("{text:?} is not always {whole:?}"))
}

fn number_is_one(number: json::Number<'_>) -> Judged {
    let text = number.as_str();
    let safe = |value: &u64| *value <= json::MAX_SAFE_INTEGER;
    let plain = text.parse::<u64>().ok().filter(safe);
    hold(number.as_u64() == plain, || format!("{text} as {:?}", number.as_u64()))?;
    // With so few digits a double is never rounded to an integer.
    if text.bytes().filter(u8::is_ascii_digit).count() <= 15 {
        let value = text.parse::<f64>().unwrap_or(f64::NAN);
        let floor = Some(value.floor()).filter(|_| !text.starts_with('-')).map(|floor| floor as u64).filter(safe);
        hold(number.floor_u64() == floor, || format!("{text} rounded down is {:?}", number.floor_u64()))?;
    }
    Ok(())
}
