use super::*;
use crate::features::Bundle;
use crate::ingest::{Audit, Cells, Column, RecordTable, Spelling, Subjects};
use crate::schema::{Kind, load_pipeline};
use ndarray::{Array1, Array2};
use rand::RngExt;

/// Two columns of whole numbers: the first tells records apart, the second is all noise.
fn bundle(n: usize) -> Bundle {
    let mut rng = Seed(5).stream("records", 0);
    let mut column = |name: &str, levels: f64| Column {
        name: name.into(),
        label: name.into(),
        group: String::new(),
        unit: String::new(),
        kind: Kind::Count,
        resolution: None,
        range: None,
        spelling: Spelling::undeclared(),
        cells: Cells::Number(
            (0..n).map(|_| (rng.random::<f64>() * levels).floor()).collect::<Vec<_>>().into(),
        ),
    };
    let columns = vec![column("wide", 1000.0), column("narrow", 3.0)];
    let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    let table = RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: None,
        columns,
        labels: Vec::new(),
        audit: Audit::default(),
    };
    Bundle::build(&table, None, &load_pipeline("wide-table").unwrap().0).unwrap()
}

/// Log-probabilities that spread widely by the first coordinate, with noise by the second.
struct Wide;

impl Density for Wide {
    fn n_features(&self) -> usize {
        2
    }

    fn n_parameters(&self) -> usize {
        0
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        v.rows().into_iter().map(|row| 100.0 * row[0] + 3.0 * row[1]).collect()
    }

    fn sample(&self, n: usize, _: Seed) -> Array2<f64> {
        Array2::zeros((n, 2))
    }
}

#[test]
fn a_share_of_the_spread_takes_fewer_draws_than_a_tenth_of_a_nat() {
    let bundle = bundle(300);
    let choose = |share, fewest| {
        choose_draws(
            &Wide,
            &bundle.manifest.encoder,
            bundle.raw.view(),
            (fewest, 256),
            1 << 24,
            share,
            Seed(1),
        )
    };
    let (exact, shared) = (choose(0.0, 2), choose(PICTURE_SHARE, 2));
    assert!(exact.median_sd <= WANTED || exact.draws == 256, "{exact:?}");
    assert!(shared.draws < exact.draws, "{shared:?} {exact:?}");
    assert!(shared.median_sd > WANTED && shared.median_sd <= PICTURE_SHARE * shared.spread, "{shared:?}");
    // The fewest are kept in any case.
    assert!(choose(PICTURE_SHARE, 16).draws >= 16);
}
