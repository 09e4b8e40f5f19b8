//! Columns that behave like patients: whatever else is constant for a patient, such as sex or year of birth,
//! agrees in all rows of one value. And rows that are copies of each other beyond chance.

use rayon::prelude::*;

use crate::ingest::{Cells, Column, Texts};
use crate::num::packed::Numbers;
use crate::num::repeated::Repeated;

use super::cells::{HashCounts, hash_number, hash_text, mix};

/// Rows that are looked at; all rows of a value are, or none.
const MOST_ROWS: usize = 20_000;
/// Rows whose hashes one thread computes together.
const BLOCK: usize = 1 << 14;
/// Share of the pairs of rows of one value in which another column agrees, to say that it does.
const AGREES: f64 = 0.98;

/// The columns that agree in the rows of each value of `of`. A column that follows the order of these values,
/// as an age group follows age, does not count.
pub(super) fn agreeing<'c>(of: &Cells, columns: &'c [Column]) -> Vec<&'c str> {
    let Some(rows) = sampled(of) else { return Vec::new() };
    let keys = of_rows(of, &rows);
    let agrees = |column: &&Column| {
        let values = of_rows(&column.cells, &rows);
        let (mut pairs, mut equal) = (0_u32, 0_u32);
        let mut firsts = Vec::new();
        for b in 1..rows.len() {
            let a = b - 1;
            if keys[a] != keys[b] {
                firsts.push(values[b]);
            } else if values[a] != 0 && values[b] != 0 {
                pairs += 1;
                equal += u32::from(values[a] == values[b]);
            }
        }
        if pairs < 20 || f64::from(equal) < AGREES * f64::from(pairs) {
            return false;
        }
        // By chance, neighbours in the order of the keys differ as often as any two keys do.
        let changes = firsts.windows(2).filter(|w| w[0] != w[1]).count() as f64;
        let mut counts = HashCounts::default();
        firsts.iter().for_each(|v| *counts.entry(*v).or_default() += 1);
        let n = firsts.len() as f64;
        let expected = n * (1.0 - counts.values().map(|c| (f64::from(*c) / n).powi(2)).sum::<f64>());
        expected >= 5.0 && changes >= 0.3 * expected
    };
    columns
        .iter()
        .filter(|c| !std::ptr::eq(&raw const c.cells, of))
        .filter(agrees)
        .map(|c| c.name.as_str())
        .collect()
}

/// The hashes of some rows.
fn of_rows(cells: &Cells, rows: &[usize]) -> Vec<u64> {
    let hashes = Hashes::of(cells);
    rows.iter().map(|row| hashes.get(*row)).collect()
}

/// Some rows in the order of their keys; none where there are no keys.
fn sampled(of: &Cells) -> Option<Vec<usize>> {
    let keys = Hashes::of(of);
    let share = MOST_ROWS as f64 / of.len().max(1) as f64;
    let limit = if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 };
    let looked_at = |x: f64| Some(keys.hash(x)).filter(|key| *key != 0 && mix(*key) <= limit).map(|_| x);
    let rows = keys.numbers.iter().enumerate().filter_map(|(row, x)| Some((looked_at(x)?, row)));
    let mut rows: Vec<(f64, usize)> = rows.collect();
    match of {
        Cells::Number(_) => rows.sort_by(|a, b| a.0.total_cmp(&b.0)),
        Cells::Text(t) => rows.sort_by_key(|(code, _)| t.text(*code)),
    }
    (rows.len() > 1).then(|| rows.into_iter().map(|(_, row)| row).collect())
}

/// A hash of each cell of a column; 0 where it is missing.
struct Hashes<'c> {
    numbers: &'c Numbers,
    /// Those of the levels, where the numbers are codes of such.
    levels: Option<Vec<u64>>,
}

impl<'c> Hashes<'c> {
    fn of(cells: &'c Cells) -> Self {
        let of_levels = |texts: &Texts| texts.levels().map(hash_text).collect();
        match cells {
            Cells::Number(numbers) => Self { numbers, levels: None },
            Cells::Text(texts) => Self { numbers: texts.codes(), levels: Some(of_levels(texts)) },
        }
    }

    fn hash(&self, x: f64) -> u64 {
        match &self.levels {
            _ if x.is_nan() => 0,
            Some(levels) => levels[x as usize],
            None => hash_number(x),
        }
    }

    fn get(&self, row: usize) -> u64 {
        self.hash(self.numbers.get(row))
    }
}

/// The rows that equal an earlier one in all features, each with the first such row; nothing where there are
/// no more copies than chance makes, as in a table of a few yes-or-no columns.
pub(super) fn copies(columns: &[Column], n: usize) -> Option<Vec<(u32, u32)>> {
    let hashes: Vec<Hashes<'_>> = columns.iter().map(|column| Hashes::of(&column.cells)).collect();
    let mut content = vec![0_u64; n];
    content.par_chunks_mut(BLOCK).enumerate().for_each(|(block, rows)| {
        let mut x = vec![0.0; rows.len()];
        for hashes in &hashes {
            hashes.numbers.read(block * BLOCK, &mut x);
            for (row, x) in rows.iter_mut().zip(&x) {
                *row = mix(row.rotate_left(5) ^ hashes.hash(*x));
            }
        }
    });
    let mut repeated = Repeated::default();
    content.iter().for_each(|hash| repeated.insert(*hash));
    let repeated = repeated.found();
    let mut first = HashCounts::default();
    let mut copies = Vec::new();
    for (i, hash) in content.iter().enumerate().filter(|(_, hash)| repeated.contains(**hash)) {
        let at = *first.entry(*hash).or_insert(i as u32);
        if at as usize != i {
            copies.push((i as u32, at));
        }
    }
    if copies.is_empty() {
        return None;
    }
    // Two rows agree by chance in all columns, were these independent, with the product of the chances in
    // each.
    let chance: f64 = chances_of_two(columns, &content).iter().product();
    let expected = 0.5 * (n as f64).powi(2) * chance;
    (copies.len() as f64 > 3.0 * expected + 3.0).then_some(copies)
}

/// For each column the chance that two rows agree in it, from some thousand rows whose hashes over all
/// columns are `content`. Pairs that agree in everything may be copies, which say nothing about chance, so
/// that a column is judged by the pairs that differ in another; with one column there are none, and all pairs
/// are taken.
fn chances_of_two(columns: &[Column], content: &[u64]) -> Vec<f64> {
    let step = content.len().div_ceil(4096).max(1);
    let rows: Vec<usize> = (0..content.len()).step_by(step).collect();
    let n = rows.len() as f64;
    if n < 2.0 {
        return vec![1.0; columns.len()];
    }
    let all = 0.5 * n * (n - 1.0);
    let pairs = |hashes: &mut dyn Iterator<Item = u64>| {
        let mut counts = HashCounts::default();
        hashes.for_each(|hash| *counts.entry(hash).or_default() += 1);
        counts.values().map(|c| 0.5 * f64::from(*c) * (f64::from(*c) - 1.0)).sum::<f64>()
    };
    let whole = pairs(&mut rows.iter().map(|row| content[*row]));
    let equal: Vec<f64> =
        columns.iter().map(|column| pairs(&mut of_rows(&column.cells, &rows).into_iter())).collect();
    // One more pair than was met: a column without any is not certain to have none.
    let most: Vec<f64> = equal.iter().map(|pairs| ((pairs + 1.0) / all).min(1.0)).collect();
    (0..columns.len())
        .map(|c| {
            let others: f64 = most.iter().enumerate().filter(|(d, _)| *d != c).map(|(_, p)| p).product();
            let apart = (equal[c] - whole + 1.0) / (all * (1.0 - others));
            if others < 1.0 { most[c].min(apart) } else { most[c] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Spelling;
    use crate::schema::Kind;

    fn column(name: &str, values: impl IntoIterator<Item = u64>) -> Column {
        Column {
            name: name.into(),
            label: name.into(),
            group: String::new(),
            unit: String::new(),
            kind: Kind::Count,
            resolution: None,
            range: None,
            spelling: Spelling::default(),
            cells: Cells::Number(values.into_iter().map(|x| x as f64).collect()),
        }
    }

    #[test]
    fn what_is_constant_for_a_patient_gives_the_patient_away() {
        // 200 patients of one to four rows, in no order.
        let patient: Vec<u64> = (0..500).map(|i| mix(i) % 200).collect();
        let columns = [
            column("patient", patient.iter().copied()),
            column("sex", patient.iter().map(|p| mix(p ^ 0x4d) % 2)),
            column("born", patient.iter().map(|p| 1930 + mix(p ^ 5) % 60)),
            column("pulse", (0..500).map(|i| 60 + mix(i ^ 0x63) % 40)),
            column("decade", patient.iter().map(|p| p / 10)),
        ];
        assert_eq!(agreeing(&columns[0].cells, &columns), ["sex", "born"]);
        assert!(agreeing(&columns[3].cells, &columns).is_empty());
    }

    #[test]
    fn copies_count_where_chance_makes_none() {
        // Numbers of so many digits that no two of 290 are equal by chance.
        let x = |i: u64| mix(i % 290) % 1_000_000_000;
        let table = [column("x", (0..300).map(x)), column("y", (0..300).map(|i| x(i) ^ 5))];
        assert_eq!(copies(&table, 300).unwrap().len(), 10);
        let coarse = [column("a", (0..300).map(|i| mix(i) % 2)), column("b", (0..300).map(|i| mix(i) % 3))];
        assert!(copies(&coarse, 300).is_none());
    }
}
