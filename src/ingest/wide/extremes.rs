//! The outermost values of a column with their counts, and whether some of them stand apart from all others
//! as codes for "missing" do.

/// Different values that are kept on a side.
const KEPT: usize = 6;
/// Different values that others have to have before one may stand apart from them.
const FEWEST_OTHERS: u64 = 6;
/// Times the spread of all others by which a code stands apart from them.
const APART: f64 = 3.0;

/// The outermost values on one side, the outermost first, each with its count.
#[derive(Debug, Clone, Default)]
struct Side(Vec<(f64, u64)>);

impl Side {
    /// Takes a value in; `outer` says whether the first is further out than the second.
    fn add(&mut self, x: f64, outer: fn(f64, f64) -> bool) {
        if self.0.len() == KEPT && outer(self.0[KEPT - 1].0, x) {
            return;
        }
        match self.0.iter().position(|(kept, _)| !outer(*kept, x)) {
            Some(at) if self.0[at].0 == x => self.0[at].1 += 1,
            Some(at) => {
                self.0.insert(at, (x, 1));
                self.0.truncate(KEPT);
            }
            None => self.0.push((x, 1)),
        }
    }

    /// How many of the outermost values may be codes: they repeat, and lie far from the next one inwards.
    /// `far` is the outermost value of the other side.
    fn before_a_gap(&self, far: f64) -> usize {
        let gap = |at: usize| {
            let (code, next) = (self.0[at].0, self.0[at + 1].0);
            let others = (next - far).abs();
            // Among values that are never negative, a negative one stands out sooner.
            let times = if code < 0.0 && next >= 0.0 { 1.0 } else { APART };
            (code - next).abs() > times * others.max(f64::MIN_POSITIVE)
        };
        let repeat = |codes: usize| self.0[..codes].iter().all(|(_, count)| *count > 1);
        (1..self.0.len()).rev().find(|&codes| gap(codes - 1) && repeat(codes)).unwrap_or(0)
    }
}

/// Both sides of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Extremes {
    largest: Side,
    smallest: Side,
}

impl Extremes {
    pub(super) fn add(&mut self, x: f64) {
        self.largest.add(x, |a, b| a > b);
        self.smallest.add(x, |a, b| a < b);
    }

    /// Values that repeat and lie further from all others than these spread, whatever they are: −99.9, 32,767
    /// or 10²⁰. `n_distinct` is the number of different values of the column.
    pub(super) fn apart(&self, n_distinct: u64) -> Vec<(f64, u64)> {
        let (Some((high, _)), Some((low, _))) = (self.largest.0.first(), self.smallest.0.first()) else {
            return Vec::new();
        };
        // Codes on one side must not hide those on the other. Each side is therefore measured from the first
        // value of the other side that is no code.
        let beyond = |side: &Side, far: f64| side.0.get(side.before_a_gap(far)).map_or(far, |(x, _)| *x);
        let (inner_low, inner_high) = (beyond(&self.smallest, *high), beyond(&self.largest, *low));
        let codes = |side: &Side, far: f64| side.0[..side.before_a_gap(far)].to_vec();
        let mut found = codes(&self.smallest, inner_high);
        found.extend(codes(&self.largest, inner_low));
        if n_distinct < FEWEST_OTHERS + found.len() as u64 {
            return Vec::new();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(values: &[f64]) -> Vec<(f64, u64)> {
        let mut extremes = Extremes::default();
        values.iter().for_each(|x| extremes.add(*x));
        let mut distinct = values.to_vec();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        extremes.apart(distinct.len() as u64)
    }

    #[test]
    fn codes_of_any_size_stand_apart() {
        let ages: Vec<f64> = (20..90).map(f64::from).collect();
        let with = |codes: &[f64]| apart(&[ages.clone(), codes.to_vec()].concat());
        assert_eq!(with(&[1e20, 1e20]), [(1e20, 2)]);
        assert_eq!(with(&[-999.9; 3]), [(-999.9, 3)]);
        assert_eq!(with(&[-99.9; 2]), [(-99.9, 2)]);
        assert_eq!(with(&[-32_768.0, -32_768.0, -32_767.0, -32_767.0]), [(-32_768.0, 2), (-32_767.0, 2)]);
        assert_eq!(with(&[-999.0, -999.0, 9999.0, 9999.0]), [(-999.0, 2), (9999.0, 2)]);
        assert!(with(&[]).is_empty() && with(&[1e20]).is_empty(), "once is a measurement");
        assert!(with(&[150.0, 150.0]).is_empty(), "not far enough");
        assert!(apart(&[0.0, 0.0, 1.0, 1.0, 900.0, 900.0]).is_empty(), "few different values");
    }
}
