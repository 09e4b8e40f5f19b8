//! What may be printed about few people.
//!
//! A number of records can only enter the report through [`Privacy`], which hides 1–10 unless the user opted in.
//! Hiding one cell is not enough where a total gives it away by subtraction: [`Privacy::part`] also protects the
//! complement, [`Privacy::lump`] merges small parts of a whole, and [`Privacy::steps`] merges cohort rules that
//! exclude few.

use serde::{Serialize, Serializer};

/// Smallest number of records printed: the cell size policy of the US Centers for Medicare & Medicaid Services,
/// which most data use agreements repeat. Zero is printed, as it is about nobody.
pub const MINIMUM_CELL: u64 = 11;

/// A count or percentage as it may be printed. Made by [`Privacy`] alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell(Shown);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Exact(f64),
    Below(f64),
    AtLeast(f64),
    Hidden,
}

impl Cell {
    /// The value, where it may be known.
    pub fn exact(self) -> Option<f64> {
        match self.0 {
            Shown::Exact(v) => Some(v),
            _ => None,
        }
    }

    /// The value, or the bound that is printed in its place.
    pub fn bound(self) -> Option<f64> {
        match self.0 {
            Shown::Exact(v) | Shown::Below(v) | Shown::AtLeast(v) => Some(v),
            Shown::Hidden => None,
        }
    }

    /// Text with `format` applied to the number it shows.
    pub fn text(self, format: impl Fn(f64) -> String) -> String {
        match self.0 {
            Shown::Exact(v) => format(v),
            Shown::Below(v) => format!("< {}", format(v)),
            Shown::AtLeast(v) => format!("≥ {}", format(v)),
            Shown::Hidden => "–".into(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            // A whole number stays one, so that machines read `120`, not `120.0`.
            Shown::Exact(v) if v.fract() == 0.0 && (0.0..9e15).contains(&v) => {
                serializer.serialize_u64(v as u64)
            }
            Shown::Exact(v) => serializer.serialize_f64(v),
            _ => serializer.serialize_str(&self.text(|v| format!("{}", (v * 10.0).round() / 10.0))),
        }
    }
}

/// The reader's rights: everything, or nothing about fewer than [`MINIMUM_CELL`] records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    identifiable: bool,
}

impl Privacy {
    /// `identifiable` prints record ids and every count, and marks the page.
    pub fn new(identifiable: bool) -> Self {
        Self { identifiable }
    }

    /// Whether ids and small counts are printed.
    pub fn identifiable(self) -> bool {
        self.identifiable
    }

    /// Whether a statistic of `n` records may be printed.
    pub fn allows(self, n: u64) -> bool {
        n > 0 && !self.small(n)
    }

    /// Whether the number `n` of records may be printed; unlike [`allows`](Self::allows), zero may.
    pub fn shows(self, n: u64) -> bool {
        !self.small(n)
    }

    fn small(self, n: u64) -> bool {
        !self.identifiable && (1..MINIMUM_CELL).contains(&n)
    }

    /// A count that is no part of a printed total.
    pub fn count(self, n: u64) -> Cell {
        Cell(if self.small(n) { Shown::Below(MINIMUM_CELL as f64) } else { Shown::Exact(n as f64) })
    }

    /// A count blurred because another, hidden one could be learnt from it: rounded down to the minimum cell.
    pub fn at_least(self, n: u64) -> Cell {
        let floor = n - n % MINIMUM_CELL;
        Cell(if self.identifiable { Shown::Exact(n as f64) } else { Shown::AtLeast(floor as f64) })
    }

    /// `n` of a printed total `of`.
    pub fn part(self, n: u64, of: u64) -> Cell {
        if self.small(of) {
            Cell(Shown::Hidden)
        } else if self.small(of.saturating_sub(n)) {
            Cell(Shown::AtLeast((of - (MINIMUM_CELL - 1).min(of)) as f64))
        } else {
            self.count(n)
        }
    }

    /// `n` of `of` in per cent, as little telling as [`part`](Self::part).
    pub fn percent(self, n: u64, of: u64) -> Cell {
        if of == 0 {
            return Cell(Shown::Hidden);
        }
        let percent = |v: f64| 100.0 * v / of as f64;
        Cell(match self.part(n, of).0 {
            Shown::Exact(v) => Shown::Exact(percent(v)),
            Shown::Below(v) => Shown::Below(percent(v)),
            Shown::AtLeast(v) => Shown::AtLeast(percent(v)),
            Shown::Hidden => Shown::Hidden,
        })
    }

    /// A proportion among `of` records that is no count of patients by itself, such as a recall.
    pub fn share(self, n: u64, of: u64) -> Option<f64> {
        self.allows(of).then(|| n as f64 / of as f64)
    }

    /// Parts of a whole in their order, small ones merged into a last "other" until no part can be learnt by
    /// subtraction. The second value is false when even the sum of all parts is small.
    pub fn lump(self, parts: Vec<(String, u64)>) -> (Vec<(String, u64)>, bool) {
        let mut kept: Vec<(String, u64)> = Vec::new();
        let (mut other, mut merged) = (0, 0);
        for (name, n) in parts {
            if self.small(n) {
                other += n;
                merged += 1;
            } else {
                kept.push((name, n));
            }
        }
        while self.small(other) {
            // Borrow the least part: what is lost is least.
            let Some(least) = (0..kept.len()).filter(|&i| kept[i].1 > 0).min_by_key(|&i| kept[i].1) else {
                break;
            };
            other += kept.remove(least).1;
            merged += 1;
        }
        if merged > 0 {
            let noun = if merged == 1 { "other" } else { "others" };
            kept.push((format!("{merged} {noun}, together"), other));
        }
        (kept, !self.small(other))
    }

    /// Cohort steps `(rule, before, after)` with those that exclude few merged into a neighbour.
    pub fn steps(self, steps: &[(String, u64, u64)]) -> Vec<(String, u64, u64)> {
        let mut out: Vec<(String, u64, u64)> = Vec::new();
        for (rule, before, after) in steps.iter().cloned() {
            match out.last_mut() {
                Some(last) if self.small(last.1 - last.2.min(last.1)) => {
                    last.0 = format!("{}; {rule}", last.0);
                    last.2 = after;
                }
                _ => out.push((rule, before, after)),
            }
        }
        // The last step may still exclude few: it goes with the one before it.
        while out.len() > 1 && out.last().is_some_and(|s| self.small(s.1 - s.2.min(s.1))) {
            if let (Some((rule, _, after)), Some(last)) = (out.pop(), out.last_mut()) {
                last.0 = format!("{}; {rule}", last.0);
                last.2 = after;
            }
        }
        // All rules together exclude few: who was there before them is not told.
        if let [only] = out.as_mut_slice()
            && self.small(only.1 - only.2.min(only.1))
        {
            only.1 = only.2;
        }
        out
    }

    /// What a record is called in the page: its id for those who may see it, its rank otherwise.
    pub fn record(self, rank: usize, id: &str) -> String {
        if self.identifiable { id.to_owned() } else { format!("record {rank}") }
    }

    /// The extremes that may be printed of sorted values: without opting in, each leaves ten records beyond it.
    pub fn range(self, sorted: &[f64]) -> Option<(f64, f64)> {
        let beyond = if self.identifiable { 0 } else { MINIMUM_CELL as usize - 1 };
        (sorted.len() > 2 * beyond).then(|| (sorted[beyond], sorted[sorted.len() - 1 - beyond]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(c: Cell) -> String {
        c.text(|v| format!("{v:.1}"))
    }

    #[test]
    fn counts_of_few_are_hidden_unless_opted_in() {
        let strict = Privacy::new(false);
        assert_eq!(show(strict.count(0)), "0.0");
        assert_eq!(show(strict.count(1)), "< 11.0");
        assert_eq!(show(strict.count(10)), "< 11.0");
        assert_eq!(show(strict.count(11)), "11.0");
        assert_eq!(show(Privacy::new(true).count(3)), "3.0");
        assert_eq!(serde_json::to_string(&strict.count(12)).unwrap(), "12");
        assert_eq!(serde_json::to_string(&strict.count(4)).unwrap(), "\"< 11\"");
    }

    #[test]
    fn neither_part_nor_complement_is_told() {
        let strict = Privacy::new(false);
        assert_eq!(show(strict.part(97, 100)), "≥ 90.0");
        assert_eq!(show(strict.part(3, 100)), "< 11.0");
        assert_eq!(show(strict.percent(3, 1000)), "< 1.1");
        assert_eq!(show(strict.percent(997, 1000)), "≥ 99.0");
        assert_eq!(show(strict.percent(5, 8)), "–");
        assert_eq!(show(strict.percent(0, 0)), "–");
    }

    #[test]
    fn small_parts_are_lumped_with_enough_company() {
        let strict = Privacy::new(false);
        let parts = |v: &[u64]| v.iter().enumerate().map(|(i, n)| (format!("p{i}"), *n)).collect::<Vec<_>>();
        let (lumped, fine) = strict.lump(parts(&[100, 3, 20, 50]));
        assert_eq!(lumped, [("p0".into(), 100), ("p3".into(), 50), ("2 others, together".into(), 23)]);
        assert!(fine);
        let (lumped, fine) = strict.lump(parts(&[4, 0]));
        assert_eq!(lumped, [("p1".into(), 0), ("1 other, together".into(), 4)]);
        assert!(!fine);
    }

    #[test]
    fn rules_that_exclude_few_are_merged() {
        let s = |r: &str, b, a| (r.to_owned(), b, a);
        let strict = Privacy::new(false);
        let steps =
            [s("all", 1000, 1000), s("adults", 1000, 997), s("first stay", 997, 800), s("window", 800, 798)];
        assert_eq!(strict.steps(&steps), [s("all", 1000, 1000), s("adults; first stay; window", 1000, 798)]);
        assert_eq!(Privacy::new(true).steps(&steps), steps);
        assert_eq!(strict.steps(&[s("all", 50, 50), s("adults", 50, 47)]), [s("all; adults", 47, 47)]);
    }

    #[test]
    fn extremes_leave_ten_records_beyond() {
        let sorted: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(Privacy::new(false).range(&sorted), Some((10.0, 89.0)));
        assert_eq!(Privacy::new(true).range(&sorted), Some((0.0, 99.0)));
        assert_eq!(Privacy::new(false).range(&sorted[..20]), None);
    }
}
