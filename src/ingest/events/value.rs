//! A usable measurement, or the reason why a row that was recorded is none.

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
