//! Folds of a bundle, for calibration by cross-validation where records are too few to set some of them
//! aside.

use ndarray::Axis;

use super::split::position;
use super::{Bundle, FeatureError, Noise};
use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
use crate::schema::Split;

/// One fold of a bundle.
#[derive(Debug, Clone)]
pub struct Fold {
    /// What to fit on, and the records left out of it as the calibration split.
    pub bundle: Bundle,
    /// Rows of those in the whole bundle, in the same order.
    pub held_out: Vec<usize>,
}

impl Bundle {
    /// The bundle with its calibration records in the training split, its encoder as it is.
    #[must_use]
    pub fn with_calibration_in_training(&self) -> Self {
        let mut bundle = self.clone();
        for split in bundle.splits.iter_mut().filter(|s| **s == Split::Calibration) {
            *split = Split::Train;
        }
        bundle.recount();
        bundle
    }

    /// The bundle `k` times over, without its test records: in each a different share of the subjects of the
    /// training and calibration splits is the calibration split, the others train, and the encoder is fitted
    /// anew on those. The resolution of columns is taken over, being a matter of how they were recorded.
    ///
    /// `subjects` has one entry per record; all records of a subject are in one fold.
    ///
    /// # Errors
    /// [`FeatureError::FewSubjects`] for fewer than k; those of [`Bundle::build`].
    pub fn folds(&self, subjects: &[String], k: usize) -> Result<Vec<Fold>, FeatureError> {
        let rows: Vec<usize> = (0..self.splits.len()).filter(|&i| self.splits[i] != Split::Test).collect();
        let mut divided: Vec<&String> =
            rows.iter().filter(|&&i| self.splits[i] != Split::Validation).map(|&i| &subjects[i]).collect();
        divided.sort_unstable();
        divided.dedup();
        if divided.len() < k {
            return Err(FeatureError::FewSubjects { n_subjects: divided.len(), folds: k });
        }
        let seed = self.manifest.seed ^ FOLD_SEED;
        divided.sort_by(|a, b| position(a, seed).total_cmp(&position(b, seed)).then_with(|| a.cmp(b)));
        let fold_of: std::collections::HashMap<&String, usize> =
            divided.into_iter().enumerate().map(|(i, subject)| (subject, i % k)).collect();
        (0..k)
            .map(|fold| {
                let split_of = |i: usize| match self.splits[i] {
                    Split::Validation => Split::Validation,
                    _ if fold_of[&subjects[i]] == fold => Split::Calibration,
                    _ => Split::Train,
                };
                let table = self.table(&rows, subjects, rows.iter().map(|&i| split_of(i)).collect());
                let bundle = Self::build(&table, self.manifest.schema.as_ref(), &self.manifest.pipeline)?;
                // The context stays the same, as far as a fold's training records leave it a column.
                let whole = &self.manifest.encoder;
                let given = |name: &str| whole.columns.iter().any(|c| c.context && c.meta.name == name);
                let columns = &bundle.manifest.encoder.columns;
                let context: Vec<usize> =
                    (0..columns.len()).filter(|&j| given(&columns[j].meta.name)).collect();
                let bundle = bundle.conditioned_on(&context);
                let held_out = rows.iter().copied().filter(|&i| split_of(i) == Split::Calibration).collect();
                Ok(Fold { bundle, held_out })
            })
            .collect()
    }

    /// Records in original units, as they were before the encoder was fitted.
    fn table(&self, rows: &[usize], subjects: &[String], splits: Vec<Split>) -> RecordTable {
        let columns =
            self.manifest.encoder.columns.iter().zip(self.raw.axis_iter(Axis(1))).map(|(c, raw)| {
                let values = rows.iter().map(|&i| raw[i]);
                let cells = if c.levels.is_empty() {
                    Cells::Number(values.collect())
                } else {
                    // Levels the training split never had are one level here.
                    let name =
                        |x: f64| c.levels.get(x as usize).map_or_else(|| UNSEEN.to_owned(), Clone::clone);
                    Cells::Text(values.map(|x| (!x.is_nan()).then(|| name(x))).collect())
                };
                Column {
                    name: c.meta.name.clone(),
                    label: c.meta.label.clone(),
                    group: c.meta.group.clone(),
                    unit: c.meta.unit.clone(),
                    kind: c.meta.kind,
                    resolution: if let Noise::Uniform { delta } = c.noise { Some(delta) } else { None },
                    range: c.meta.range,
                    spelling: c.meta.spelling.clone(),
                    cells,
                }
            });
        RecordTable {
            record_ids: rows.iter().map(|&i| &self.record_ids[i]).collect(),
            subjects: Subjects::Named(rows.iter().map(|&i| Some(&subjects[i])).collect()),
            splits: Some(splits),
            columns: columns.collect(),
            labels: Vec::new(),
            audit: Audit::default(),
        }
    }
}

/// Sets the hashes of folds apart from those of splits: subjects of one split are neighbours in the latter.
const FOLD_SEED: u64 = 0x666f_6c64_7300_0000;
/// Name of all levels the training split never had.
const UNSEEN: &str = "(unseen)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load_pipeline;

    /// 300 records of 100 subjects, with a text column and missing values.
    fn bundle() -> (Bundle, Vec<String>) {
        let n = 300_u32;
        let column = |name: &str, cells: Cells| Column {
            name: name.into(),
            label: name.into(),
            group: String::new(),
            unit: String::new(),
            kind: if matches!(cells, Cells::Text(_)) {
                crate::schema::Kind::Categorical
            } else {
                crate::schema::Kind::Continuous
            },
            resolution: None,
            range: None,
            spelling: crate::ingest::Spelling::undeclared(),
            cells,
        };
        let number = |i: u32| if i.is_multiple_of(11) { f64::NAN } else { f64::from(i * 7919 % n).sqrt() };
        // One level that a single subject has.
        let text = |i: u32| {
            (!i.is_multiple_of(13))
                .then(|| if i / 3 == 17 { "rare" } else { ["a", "b"][(i % 2) as usize] }.to_owned())
        };
        let subjects: Vec<String> = (0..n).map(|i| (i / 3).to_string()).collect();
        let table = RecordTable {
            record_ids: (0..n).map(|i| i.to_string()).collect(),
            subjects: Subjects::Named(subjects.iter().map(Some).collect()),
            splits: None,
            columns: vec![
                column("x", Cells::Number((0..n).map(number).collect())),
                column("t", Cells::Text((0..n).map(text).collect())),
            ],
            labels: Vec::new(),
            audit: Audit::default(),
        };
        (Bundle::build(&table, None, &load_pipeline("wide-table").unwrap().0).unwrap(), subjects)
    }

    #[test]
    fn every_training_and_calibration_record_is_held_out_once() {
        let (bundle, subjects) = bundle();
        let folds = bundle.folds(&subjects, 5).unwrap();
        let mut held_out: Vec<usize> = folds.iter().flat_map(|f| f.held_out.clone()).collect();
        held_out.sort_unstable();
        let expected: Vec<usize> = (0..bundle.splits.len())
            .filter(|&i| matches!(bundle.splits[i], Split::Train | Split::Calibration))
            .collect();
        assert_eq!(held_out, expected);
        let (least, most) =
            folds.iter().map(|f| f.held_out.len()).fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
        assert!(most - least <= 3, "{least} {most}");
        for fold in &folds {
            let b = &fold.bundle;
            assert!(b.rows(Split::Test).is_empty());
            let ids: Vec<&String> = fold.held_out.iter().map(|&i| &bundle.record_ids[i]).collect();
            let found: Vec<&String> =
                b.rows(Split::Calibration).into_iter().map(|i| &b.record_ids[i]).collect();
            assert_eq!(found, ids);
            let of = |split| b.rows(split).into_iter().map(|i| b.record_ids[i].parse::<u32>().unwrap() / 3);
            let trained: std::collections::BTreeSet<u32> = of(Split::Train).collect();
            assert!(of(Split::Calibration).all(|subject| !trained.contains(&subject)));
            // Numbers are those of the records; the encoder is that of the fold's own training records.
            let x = |b: &Bundle, rows: &[usize]| {
                rows.iter().map(|&i| b.raw[[i, 0]].to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(x(b, &b.rows(Split::Calibration)), x(&bundle, &fold.held_out));
            assert_eq!(x(b, &b.rows(Split::Validation)), x(&bundle, &bundle.rows(Split::Validation)));
            let observed = b.raw_of(Split::Train).column(0).iter().filter(|x| !x.is_nan()).count();
            assert_eq!(b.manifest.encoder.columns[0].n_observed, observed);
        }
        assert!(matches!(bundle.folds(&subjects, 200), Err(FeatureError::FewSubjects { folds: 200, .. })));
    }

    #[test]
    fn calibration_records_join_the_training_split() {
        let (bundle, _) = bundle();
        let whole = bundle.with_calibration_in_training();
        let (before, after) = (bundle.manifest.splits, whole.manifest.splits);
        assert_eq!((after.train, after.calibration), (before.train + before.calibration, 0));
        assert_eq!((after.validation, after.test), (before.validation, before.test));
        assert_eq!(whole.fingerprint(), bundle.fingerprint());
        assert_eq!(whole.manifest.encoder, bundle.manifest.encoder);
    }
}
