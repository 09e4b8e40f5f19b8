//! Decimal marks and marks between thousands that fit most numbers of a column.

use crate::ingest::spelling::{ALL_MARKS, Marks};

/// How many texts are numbers in a set of marks.
#[derive(Debug, Clone)]
pub(super) struct FittingMarks {
    pub(super) set: u16,
    pub(super) count: u64,
    /// One of the texts, by which it shows whether two marks read different numbers.
    pub(super) example: String,
}

/// The marks in which most texts are numbers, and whether those marks were told from others by this column
/// alone. `comma_elsewhere` says that another column of the file is written with a decimal comma.
pub(super) fn best_marks(sets: &[FittingMarks], comma_elsewhere: bool) -> (Marks, bool) {
    let fit = |marks: Marks| sets.iter().filter(|m| m.set & marks.bit() != 0).map(|m| m.count).sum::<u64>();
    let best = Marks::ALL.into_iter().map(fit).max().unwrap_or(0);
    let equal: Vec<Marks> = Marks::ALL.into_iter().filter(|m| fit(*m) == best).collect();
    let first = equal.first().copied().unwrap_or_default();
    let reads_otherwise = |other: &Marks| {
        sets.iter().any(|m| {
            let numbers = (first.parse(&m.example), other.parse(&m.example));
            m.set != ALL_MARKS && matches!(numbers, (Some(a), Some(b)) if a != b)
        })
    };
    let differ = equal.iter().any(reads_otherwise);
    let comma = equal.iter().find(|marks| marks.has_decimal_comma());
    match comma {
        Some(comma) if differ && comma_elsewhere => (*comma, false),
        _ => (first, !differ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::wide::profile::tests::profile;

    #[test]
    fn marks_follow_from_most_cells() {
        let of = |cells: &[&str], elsewhere| best_marks(&profile(cells).marks, elsewhere);
        assert_eq!(of(&["12", "13.5"], false), (Marks::Point, true));
        assert_eq!(of(&["38,1", "36,9", "37"], false), (Marks::Comma, true));
        assert_eq!(of(&["1.234,5", "2,5"], false), (Marks::CommaAndPoints, true));
        assert_eq!(of(&["1,234.5", "2.5"], false), (Marks::PointAndCommas, true));
        assert_eq!(of(&["1,234,567", "2,000"], false), (Marks::PointAndCommas, true));
        assert_eq!(of(&["4,620", "7,258"], false), (Marks::PointAndCommas, false));
        assert_eq!(of(&["4,620", "7,258"], true), (Marks::Comma, false));
        assert_eq!(of(&["36,8", "36.8"], false), (Marks::Either, true));
        assert_eq!(of(&["1 234", "900"], false), (Marks::PointAndSpaces, true));
        assert_eq!(of(&["1.0", "1.025"], true).0, Marks::Point);
        assert_eq!(of(&["4.620", "7.258"], false), (Marks::Point, false));
        assert_eq!(of(&["4.620", "7.258"], true), (Marks::CommaAndPoints, false));
        assert_eq!(of(&["120", "130"], true), (Marks::Point, true));
    }
}
