//! A column of numbers in as few bytes as hold each of them exactly.
//!
//! Most numbers of a table have few digits. A stretch of a column whose numbers are all m/10ᵏ with a small
//! whole m and one k for all is stored as its m in one, two or four bytes: the quotient of two whole numbers
//! that a double holds is rounded once, and is therefore the same double that reading the digits gives. Other
//! stretches are stored as single or double precision, whichever loses nothing. A missing number (NaN) takes
//! the place of the smallest whole number.

/// Numbers of a stretch.
const STRETCH: usize = 1 << 14;
/// Decimal places that are looked for.
const MOST_PLACES: u8 = 9;

/// Numbers, NaN where one is missing.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    stretches: Vec<Stretch>,
    /// Those after the last full stretch.
    rest: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Stretch {
    Missing,
    Byte(Box<[i8]>, f64),
    Short(Box<[i16]>, f64),
    Word(Box<[i32]>, f64),
    Single(Box<[f32]>),
    Double(Box<[f64]>),
}

/// Whole numbers with a scale, of which the smallest stands for "missing".
macro_rules! scaled {
    ($x:expr, $scale:expr, $type:ty) => {
        $x.iter().map(|x| if x.is_nan() { <$type>::MIN } else { mantissa(*x, $scale) as $type }).collect()
    };
}

impl Stretch {
    fn of(x: &[f64]) -> Self {
        match decimal(x) {
            Some((_, largest)) if largest < 0 => Self::Missing,
            Some((scale, largest)) if largest <= i64::from(i8::MAX) => {
                Self::Byte(scaled!(x, scale, i8), scale)
            }
            Some((scale, largest)) if largest <= i64::from(i16::MAX) => {
                Self::Short(scaled!(x, scale, i16), scale)
            }
            Some((scale, _)) => Self::Word(scaled!(x, scale, i32), scale),
            None if x.iter().all(|x| x.is_nan() || f64::from(*x as f32).to_bits() == x.to_bits()) => {
                Self::Single(x.iter().map(|x| *x as f32).collect())
            }
            None => Self::Double(x.into()),
        }
    }

    fn get(&self, i: usize) -> f64 {
        let mut out = [0.0];
        self.read(i, &mut out);
        out[0]
    }

    fn read(&self, from: usize, out: &mut [f64]) {
        macro_rules! decode {
            ($m:expr, $scale:expr, $type:ty) => {
                for (out, &m) in out.iter_mut().zip(&$m[from..]) {
                    *out = if m == <$type>::MIN { f64::NAN } else { f64::from(m) / $scale };
                }
            };
        }
        match self {
            Self::Missing => out.fill(f64::NAN),
            Self::Byte(m, scale) => decode!(m, scale, i8),
            Self::Short(m, scale) => decode!(m, scale, i16),
            Self::Word(m, scale) => decode!(m, scale, i32),
            Self::Single(x) => out.iter_mut().zip(&x[from..]).for_each(|(out, x)| *out = f64::from(*x)),
            Self::Double(x) => out.copy_from_slice(&x[from..from + out.len()]),
        }
    }
}

/// m of x = m/scale, where x is such a number.
fn mantissa(x: f64, scale: f64) -> i64 {
    (x * scale + 0.5_f64.copysign(x)) as i64
}

/// The power of ten that makes all numbers whole, and the largest of these without its sign, −1 where no
/// number is there; nothing where there is no such power.
fn decimal(x: &[f64]) -> Option<(f64, i64)> {
    let (mut places, mut scale) = (0, 1.0);
    for x in x.iter().filter(|x| !x.is_nan()) {
        loop {
            let m = mantissa(*x, scale);
            if m.abs() > i64::from(i32::MAX) || places > MOST_PLACES {
                return None;
            }
            // The sign of −0 would be lost. A number that fits also fits with more places.
            if (m as f64 / scale).to_bits() == x.to_bits() {
                break;
            }
            places += 1;
            scale *= 10.0;
        }
    }
    let largest = x.iter().filter(|x| !x.is_nan()).map(|x| mantissa(*x, scale).abs()).max().unwrap_or(-1);
    (largest <= i64::from(i32::MAX)).then_some((scale, largest))
}

impl Numbers {
    /// How many there are, the missing ones included.
    pub fn len(&self) -> usize {
        self.stretches.len() * STRETCH + self.rest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a number.
    #[inline]
    pub fn push(&mut self, x: f64) {
        self.rest.push(x);
        if self.rest.len() == STRETCH {
            self.stretches.push(Stretch::of(&self.rest));
            self.rest.clear();
        }
    }

    /// The number at a place.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn get(&self, i: usize) -> f64 {
        match self.stretches.get(i / STRETCH) {
            Some(stretch) => stretch.get(i % STRETCH),
            None => self.rest[i - self.stretches.len() * STRETCH],
        }
    }

    /// Fills `out` with the numbers from the place `from` on.
    ///
    /// # Panics
    /// Beyond the end.
    pub fn read(&self, mut from: usize, mut out: &mut [f64]) {
        while !out.is_empty() {
            let (at, within) = (from / STRETCH, from % STRETCH);
            let n = out.len().min(STRETCH - within);
            let (now, later) = out.split_at_mut(n);
            match self.stretches.get(at) {
                Some(stretch) => stretch.read(within, now),
                None => now.copy_from_slice(&self.rest[within..within + n]),
            }
            (from, out) = (from + n, later);
        }
    }

    /// The place of the first infinity.
    pub fn infinite(&self) -> Option<usize> {
        // A quotient of whole numbers is none.
        let within = |stretch: &Stretch| match stretch {
            Stretch::Single(x) => x.iter().position(|x| x.is_infinite()),
            Stretch::Double(x) => x.iter().position(|x| x.is_infinite()),
            _ => None,
        };
        let found = self.stretches.iter().enumerate().find_map(|(k, s)| Some(k * STRETCH + within(s)?));
        let behind = || self.rest.iter().position(|x| x.is_infinite());
        found.or_else(|| Some(self.stretches.len() * STRETCH + behind()?))
    }

    /// All numbers in their order.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).step_by(STRETCH).flat_map(|from| {
            let mut some = vec![0.0; STRETCH.min(self.len() - from)];
            self.read(from, &mut some);
            some
        })
    }

    /// All of them as they are in memory elsewhere.
    pub fn to_vec(&self) -> Vec<f64> {
        let mut all = vec![0.0; self.len()];
        self.read(0, &mut all);
        all
    }
}

impl Extend<f64> for Numbers {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|x| self.push(x));
    }
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut all = Self::default();
        all.extend(numbers);
        all
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(numbers: Vec<f64>) -> Self {
        numbers.into_iter().collect()
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number without pattern.
    fn scattered(i: usize) -> u64 {
        (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7
    }

    fn bytes(numbers: &Numbers) -> usize {
        let of = |stretch: &Stretch| match stretch {
            Stretch::Missing => 0,
            Stretch::Byte(..) => 1,
            Stretch::Short(..) => 2,
            Stretch::Word(..) | Stretch::Single(_) => 4,
            Stretch::Double(_) => 8,
        };
        numbers.stretches.iter().map(of).max().unwrap()
    }

    #[test]
    fn every_number_comes_back_to_the_bit_in_as_few_bytes_as_it_needs() {
        type Of = fn(usize) -> f64;
        fn parse(text: String) -> f64 {
            text.parse().unwrap()
        }
        let columns: [(usize, Of); 11] = [
            (0, |_| f64::NAN),
            (1, |i| f64::from(scattered(i) as u8 % 120)),
            (1, |i| parse(format!("{}.{}", scattered(i) % 12, scattered(i) % 10))),
            (2, |i| parse(format!("{}.{:02}", scattered(i) % 300, scattered(i) % 100))),
            (4, |i| parse(format!("-{}.{:04}", scattered(i) % 9000, scattered(i) % 10_000))),
            (4, |i| (scattered(i) as u32 as f32 / 7.0).into()),
            (8, |i| scattered(i) as f64 / 7.0),
            (8, |i| 1e9 * parse(format!("3.{:09}", scattered(i) % 1_000_000_000))),
            (4, |i| if i.is_multiple_of(3) { -0.0 } else { 0.5 }),
            (8, |i| [f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, 5e-324][i % 4]),
            (8, |i| parse(format!("1e-{}", 10 + scattered(i) % 200))),
        ];
        for (k, (expected, of)) in columns.into_iter().enumerate() {
            for missing in [1, 7] {
                let x: Vec<f64> = (0..2 * STRETCH + 5)
                    .map(|i| if missing > 1 && i % missing == 0 { f64::NAN } else { of(i) })
                    .collect();
                let packed = Numbers::from(x.clone());
                assert_eq!(bytes(&packed), expected, "column {k}");
                let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(packed.to_vec().iter().zip(&x).all(|(a, b)| same(*a, *b)), "column {k}");
                assert!(
                    packed
                        .iter()
                        .zip(&x)
                        .enumerate()
                        .all(|(i, (a, b))| { same(a, *b) && same(packed.get(i), *b) })
                );
                assert_eq!(packed.infinite(), x.iter().position(|x| x.is_infinite()));
                let mut part = vec![0.0; STRETCH + 9];
                packed.read(STRETCH - 4, &mut part);
                assert!(part.iter().zip(&x[STRETCH - 4..]).all(|(a, b)| same(*a, *b)));
            }
        }
    }
}
