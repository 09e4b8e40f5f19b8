//! What may be printed about few people.
//!
//! A number of records can only enter the report through [`Privacy`], which hides 1–10 unless the user opted
//! in. Hiding one cell is not enough where a total gives it away by subtraction: [`Privacy::part`] also
//! protects the complement, [`Privacy::parts`] merges small parts of a whole and blurs the largest, and
//! [`Privacy::steps`] merges cohort rules that exclude few.

use serde::{Serialize, Serializer};

use super::format;

/// Smallest number of records printed: the cell size policy of the US Centers for Medicare & Medicaid
/// Services, which most data use agreements repeat. Zero is printed, as it is about nobody.
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

    /// A count as per cent of a whole of `of` records, as little telling as the count.
    pub fn percent_of(self, of: u64) -> Self {
        let percent = |v: f64| 100.0 * v / of.max(1) as f64;
        Self(match self.0 {
            Shown::Exact(v) => Shown::Exact(percent(v)),
            Shown::Below(v) => Shown::Below(percent(v)),
            Shown::AtLeast(v) => Shown::AtLeast(percent(v)),
            Shown::Hidden => Shown::Hidden,
        })
    }

    /// Text with `format` applied to the number it shows.
    pub fn text(self, format: impl Fn(f64) -> String) -> String {
        match self.0 {
            Shown::Exact(v) => format(v),
            // A sign must not part from its number at the end of a line.
            Shown::Below(v) => format!("<\u{a0}{}", format(v)),
            Shown::AtLeast(v) => format!("≥\u{a0}{}", format(v)),
            Shown::Hidden => format::NONE.into(),
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
            _ => serializer.serialize_str(
                &self.text(|v| if v.fract() == 0.0 { format::count(v) } else { format::fixed(v, 1) }),
            ),
        }
    }
}

/// A part of a whole as it may be printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name, or how many were merged.
    pub name: String,
    /// Records.
    pub n: Cell,
    /// Per cent of the whole.
    pub percent: Cell,
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

    /// Nothing: the counterpart of another hidden cell.
    pub fn hidden(self) -> Cell {
        Cell(Shown::Hidden)
    }

    /// The largest part of a printed whole whose `n_hidden` hidden parts sum to `hidden`: no more than the
    /// whole and the other parts say anyway.
    pub fn blurred(self, largest: u64, hidden: u64, n_hidden: u64) -> Cell {
        let bound = (largest + hidden).saturating_sub((MINIMUM_CELL - 1) * n_hidden).max(MINIMUM_CELL);
        Cell(if self.identifiable { Shown::Exact(largest as f64) } else { Shown::AtLeast(bound as f64) })
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

    /// Parts of a printed whole in their order, with their shares. Small ones become one last "others"; where
    /// even that is small, the largest part is blurred, lest subtraction tell. So it is for the sake of
    /// `beside`, a number of the same whole that is printed, or hidden, elsewhere.
    pub fn parts(self, parts: Vec<(String, u64)>, beside: u64) -> Vec<Part> {
        let beside = if self.small(beside) { beside } else { 0 };
        let total: u64 = parts.iter().map(|p| p.1).sum::<u64>() + beside;
        let (small, kept): (Vec<_>, Vec<_>) = parts.into_iter().partition(|p| self.small(p.1));
        let hidden: u64 = small.iter().map(|p| p.1).sum();
        let largest =
            (0..kept.len()).rev().max_by_key(|&i| kept[i].1).filter(|_| self.small(hidden) || beside > 0);
        let secrets = [hidden, beside].into_iter().filter(|n| self.small(*n));
        let (n_secret, secret) = (secrets.clone().count() as u64, secrets.sum());
        let of_total = |cell: Cell| match cell.0 {
            Shown::Exact(v) => Cell(Shown::Exact(100.0 * v / total.max(1) as f64)),
            Shown::Below(v) => Cell(Shown::Below(100.0 * v / total.max(1) as f64)),
            Shown::AtLeast(v) => Cell(Shown::AtLeast(100.0 * v / total.max(1) as f64)),
            Shown::Hidden => cell,
        };
        let part = |name: String, n: Cell| Part { name, n, percent: of_total(n) };
        let others = match small.len() {
            0 => None,
            1 => Some(part("1 other".into(), self.count(hidden))),
            k => Some(part(format!("{k} others, together"), self.count(hidden))),
        };
        let shown = kept.into_iter().enumerate().map(|(i, (name, n))| {
            let cell = if Some(i) == largest { self.blurred(n, secret, n_secret) } else { self.count(n) };
            part(name, cell)
        });
        shown.chain(others).collect()
    }

    /// A sentence of an earlier stage, its numbers of 1 to 10 blurred: it may count records. Names between
    /// backticks, and numbers with a decimal point, stay.
    pub fn sentence(self, text: &str) -> String {
        if self.identifiable {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for (i, part) in text.split('`').enumerate() {
            if i > 0 {
                out.push('`');
            }
            if i % 2 == 1 {
                out.push_str(part);
                continue;
            }
            for (k, word) in part.split(' ').enumerate() {
                if k > 0 {
                    out.push(' ');
                }
                let digits = word.trim_matches(['(', ')', ',', ';', ':']);
                match digits.parse::<u64>() {
                    Ok(n) if self.small(n) => out.push_str(&word.replacen(digits, "fewer than 11", 1)),
                    _ => out.push_str(word),
                }
            }
        }
        out
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

    /// The extremes that may be printed of sorted values: without opting in, each leaves ten records beyond
    /// it.
    pub fn range(self, sorted: &[f64]) -> Option<(f64, f64)> {
        let beyond = if self.identifiable { 0 } else { MINIMUM_CELL as usize - 1 };
        (sorted.len() > 2 * beyond).then(|| (sorted[beyond], sorted[sorted.len() - 1 - beyond]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(c: Cell) -> String {
        c.text(|v| format!("{v:.1}")).replace('\u{a0}', " ")
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
        assert_eq!(serde_json::to_string(&strict.count(4)).unwrap(), "\"<\u{a0}11\"");
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
    fn small_parts_are_merged_and_not_told_by_subtraction() {
        let strict = Privacy::new(false);
        let parts = |v: &[u64]| v.iter().enumerate().map(|(i, n)| (format!("p{i}"), *n)).collect::<Vec<_>>();
        let text = |p: &Part| format!("{} {} {}", p.name, show(p.n), show(p.percent));
        let shown: Vec<String> = strict.parts(parts(&[100, 3, 47, 50]), 0).iter().map(text).collect();
        // 200 − 47 − 50 = 103 is known: 93 to 102 and 10 to 1 are all possible.
        assert_eq!(shown, ["p0 ≥ 93.0 ≥ 46.5", "p2 47.0 23.5", "p3 50.0 25.0", "1 other < 11.0 < 5.5"]);
        let shown: Vec<String> = strict.parts(parts(&[80, 6, 7, 7]), 0).iter().map(text).collect();
        assert_eq!(shown, ["p0 80.0 80.0", "3 others, together 20.0 20.0"]);
        assert_eq!(strict.parts(parts(&[4, 0]), 0).iter().map(text).count(), 2);
        // Eight without a value, hidden elsewhere: both levels and all records would tell them.
        let shown: Vec<String> = strict.parts(parts(&[4499, 3493]), 8).iter().map(text).collect();
        assert_eq!(shown, ["p0 ≥ 4497.0 ≥ 56.2", "p1 3493.0 43.7"]);
        let open: Vec<String> = Privacy::new(true).parts(parts(&[97, 3]), 0).iter().map(text).collect();
        assert_eq!(open, ["p0 97.0 97.0", "p1 3.0 3.0"]);
    }

    #[test]
    fn sentences_count_nobody() {
        let text = "`lab 3`: 3 held-out records (10 of 120) have 0.5 or 11 values, 7; see `a 5 b`";
        assert_eq!(
            Privacy::new(false).sentence(text),
            "`lab 3`: fewer than 11 held-out records (fewer than 11 of 120) have 0.5 or 11 values, fewer \
             than 11; see `a 5 b`"
        );
        assert_eq!(Privacy::new(true).sentence(text), text);
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
