//! Why a row of an event table gave no measurement. Every row that is read is kept or counted under one of
//! these.

use super::value::Rejected;
use crate::ingest::cohort::moment::Misplaced;

/// Rows left out because their fields are too few, too many or of another type.
pub(in crate::ingest) const MALFORMED: &str = "malformed row";

/// Rows of the records table without an id.
pub(in crate::ingest) const NO_ID: &str = "no record id";

/// Rows that repeat another.
pub(in crate::ingest) const COPY: &str = "copy of another row";

/// Rows that name a record and a patient whose record it is not.
pub(in crate::ingest) const OTHER_SUBJECT: &str = "another patient's record";

/// Rows that another part of the patients accounts for.
pub(in crate::ingest) const OTHER_PART: &str = "row of another part";

/// Why a row was dropped. The discriminants index [`Counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Reason {
    Malformed,
    OtherItem,
    NoRecord,
    OutsideStays,
    NotInCohort,
    NoTime,
    EndBeforeStart,
    NoEnd,
    OtherSubject,
    NoStart,
    Before,
    After,
    AfterEnd,
    Between,
    Copy,
    NoNumber,
    UnmappedText,
    Censored,
    MissingCode,
    UnknownUnit,
    BelowRange,
    AboveRange,
    /// None of the columns in use has a value.
    Empty,
    /// A later row holds the corrected result.
    Corrected,
    /// By a `keep` rule, of another table of the same files.
    OtherTable,
    /// Of a record of another part.
    OtherPart,
}

impl Reason {
    /// Names in the audit, in order of the discriminants.
    pub(in crate::ingest) const NAMES: [&'static str; 26] = [
        MALFORMED,
        "other item",
        "no such record",
        "outside every stay",
        "not in cohort",
        "no time",
        "end before start",
        "no end",
        OTHER_SUBJECT,
        "record without start",
        "before window",
        "after window",
        "after record end",
        "between windows",
        COPY,
        "no number",
        "unmapped text",
        "beyond the limit of measurement",
        "missing code",
        "unknown unit",
        "below range",
        "above range",
        "no value in the columns in use",
        "corrected by a later row",
        "row of another table",
        OTHER_PART,
    ];

    /// Name in the audit.
    pub(in crate::ingest) const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl From<Misplaced> for Reason {
    fn from(misplaced: Misplaced) -> Self {
        match misplaced {
            Misplaced::NoSuchRecord => Self::NoRecord,
            Misplaced::OutsideStays => Self::OutsideStays,
            Misplaced::NotInCohort => Self::NotInCohort,
            Misplaced::NoStart => Self::NoStart,
            Misplaced::Before => Self::Before,
            Misplaced::After => Self::After,
            Misplaced::AfterEnd => Self::AfterEnd,
        }
    }
}

impl From<Rejected> for Reason {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::NoTime => Self::NoTime,
            Rejected::EndBeforeStart => Self::EndBeforeStart,
            Rejected::NoEnd => Self::NoEnd,
            Rejected::OtherSubject => Self::OtherSubject,
            Rejected::NoNumber => Self::NoNumber,
            Rejected::UnmappedText => Self::UnmappedText,
            Rejected::Censored => Self::Censored,
            Rejected::MissingCode => Self::MissingCode,
            Rejected::UnknownUnit => Self::UnknownUnit,
            Rejected::Below => Self::BelowRange,
            Rejected::Above => Self::AboveRange,
        }
    }
}

/// How a row was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Dropped {
    For(Reason),
    /// By a drop rule of the table, by its place.
    ByRule(usize),
}

/// Rows dropped, by reason and by drop rule.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Counts {
    pub(in crate::ingest) reasons: [u64; Reason::NAMES.len()],
    pub(in crate::ingest) rules: Vec<u64>,
    /// Rows that name no record, at a time that lies in several of their subject.
    pub(in crate::ingest) in_several_stays: u64,
}

impl Counts {
    pub(in crate::ingest) fn add(&mut self, reason: Reason, n: u64) {
        self.reasons[reason as usize] += n;
    }
}
