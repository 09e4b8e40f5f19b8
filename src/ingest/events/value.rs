//! A usable measurement, or the reason why a row that was recorded is none.

use crate::schema::Rule;

/// Why a row within a record's window gave no value. Each says that something was recorded, except for a
/// missing code, which says that nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Rejected {
    /// It is not known when it was.
    NoTime,
    /// It ends before it begins.
    EndBeforeStart,
    /// It begins and has no end, so that nothing is known of it after its beginning.
    NoEnd,
    /// It names a record, and a patient whose record that is not.
    OtherSubject,
    NoNumber,
    UnmappedText,
    /// A result beyond a limit of measurement, such as `>200`, of which only a side is known.
    Censored,
    MissingCode,
    UnknownUnit,
    Below,
    Above,
}

/// An accepted value: a number in the variable's unit, or a level's code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ingest) enum Value {
    Number(f64),
    Level(u32),
}

/// The value of a row whose source does not look at the row's number; none where it does.
pub(in crate::ingest) fn beside_number(
    rule: Option<Rule>,
    text: Option<&str>,
) -> Option<Result<f64, Rejected>> {
    match rule? {
        // Whatever else it says, or leaves out.
        Rule::Present => Some(Ok(1.0)),
        rule @ (Rule::BeforeSlash | Rule::AfterSlash) => Some(of_pair(rule, text).ok_or(Rejected::NoNumber)),
        Rule::MixedFraction | Rule::NotConvertible => None,
    }
}

/// One of the two numbers of a text such as "120/80".
fn of_pair(rule: Rule, text: Option<&str>) -> Option<f64> {
    let (before, after) = text?.split_once('/')?;
    // Of three numbers, none is the one that is meant.
    let part = if rule == Rule::BeforeSlash { before } else { after };
    part.trim().parse().ok().filter(|x: &f64| x.is_finite() && !after.contains('/'))
}
