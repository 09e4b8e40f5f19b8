//! What a window of a record says about a variable, and what each aggregation makes of it.
//!
//! Three states are told apart. *Usable*: there are measurements, and the aggregate is taken over them.
//! *Unknown*: something was recorded, and nothing can be told from it, because it is outside its range, in an
//! unknown unit, unreadable, or too little. *Absent*: nothing was recorded at all. Only what is absent takes
//! the default that a schema declares for it (no entry of an infusion means a rate of 0); what is unknown is
//! missing.
//!
//! | aggregation | usable measurements, others rejected | rejected ones alone | nothing recorded |
//! | --- | --- | --- | --- |
//! | `mean`, `median`, `min`, `max`, `first`, `last`, `time-since-last` | those usable | missing | default, else missing |
//! | `sum` | those usable; a warning tells how many sums are partial | missing | default, else missing |
//! | `std`, `slope` | those usable; missing when there are too few | missing | 0 where there is a default |
//! | `count` | those usable | 0 | 0 |
//!
//! So the value before a rejected one is still the `last`: what cannot be used says nothing about when the
//! patient changed, exactly as it does not change a mean. `min_count` counts usable measurements; with fewer
//! the result is missing. `time-since-last` has no default, since there is no last.

use crate::schema::{Aggregation, Known, Variable};

use super::accumulate::Aggregate;
use super::value::Value;

/// What a window of a record says about a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ingest) enum Finding {
    Number(f64),
    Level(u32),
    /// Nothing was recorded.
    Absent,
    /// Something was recorded, and no value can be told from it.
    Unknown,
}

impl Finding {
    /// The finding of `usable` measurements with an aggregate, beside `rejected` ones.
    pub(in crate::ingest) fn of(aggregate: Aggregate, usable: u32, rejected: u32, min_count: u32) -> Self {
        match aggregate {
            Aggregate::Number(x) if usable > 0 && usable >= min_count => Self::Number(x),
            Aggregate::Level(code) if usable > 0 && usable >= min_count => Self::Level(code),
            _ if usable > 0 || rejected > 0 => Self::Unknown,
            _ => Self::Absent,
        }
    }

    /// This if it is a value, else the other one; what either knows to have been recorded is not absent.
    pub(in crate::ingest) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Number(_) | Self::Level(_), _) | (Self::Unknown, Self::Absent) => self,
            (Self::Absent | Self::Unknown, other) => other,
        }
    }

    /// This, with the default of the variable in the place of what is absent.
    pub(in crate::ingest) fn with_default(self, variable: &Variable, aggregation: Aggregation) -> Self {
        let Self::Absent = self else { return self };
        match (variable.absent, aggregation) {
            (None, _) | (_, Aggregation::TimeSinceLast) => Self::Absent,
            // What stays at its default neither varies nor changes.
            (Some(_), Aggregation::Std | Aggregation::Slope) => Self::Number(0.0),
            (Some(default), _) => Self::Number(default),
        }
    }

    /// Whether there is a value.
    pub(in crate::ingest) fn is_value(self) -> bool {
        matches!(self, Self::Number(_) | Self::Level(_))
    }

    /// The value, if there is one.
    pub(in crate::ingest) fn value(self) -> Option<Value> {
        match self {
            Self::Number(x) => Some(Value::Number(x)),
            Self::Level(code) => Some(Value::Level(code)),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// What an expression knows of it. Levels are no numbers.
    pub(in crate::ingest) fn known(self) -> Known {
        match self {
            Self::Number(x) => Known::Value(x),
            Self::Absent => Known::Absent,
            Self::Level(_) | Self::Unknown => Known::Rejected,
        }
    }
}

impl From<Value> for Finding {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(x) => Self::Number(x),
            Value::Level(code) => Self::Level(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_is_not_absent() {
        let one = Aggregate::Number(3.0);
        assert_eq!(Finding::of(one, 1, 2, 0), Finding::Number(3.0));
        assert_eq!(Finding::of(one, 1, 0, 2), Finding::Unknown, "too few");
        assert_eq!(Finding::of(Aggregate::Missing, 0, 1, 0), Finding::Unknown);
        assert_eq!(Finding::of(Aggregate::Missing, 1, 0, 0), Finding::Unknown, "a deviation of one value");
        assert_eq!(Finding::of(Aggregate::Missing, 0, 0, 2), Finding::Absent);
    }

    #[test]
    fn a_second_source_does_not_hide_what_the_first_recorded() {
        let (unknown, absent, three) = (Finding::Unknown, Finding::Absent, Finding::Number(3.0));
        assert_eq!(unknown.or(absent), unknown);
        assert_eq!(absent.or(unknown), unknown);
        assert_eq!(unknown.or(three), three);
        assert_eq!(three.or(unknown), three);
        assert_eq!(absent.or(absent), absent);
    }
}
