//! Real columns, where they are at hand.

use std::path::Path;

use super::*;
use crate::ingest::{NoProgress, ingest};
use crate::num::moments::mean_and_standard_error;
use crate::num::special::normal_log_pdf;
use crate::schema::load_pipeline;

/// The records of a shipped pipeline over open data, or `None` where these are not there.
fn open_data(pipeline: &str, folder: &str) -> Option<(RecordTable, Pipeline)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if !dir.is_dir() {
        eprintln!("skipped: needs ../shared/data/{folder}");
        return None;
    }
    let (pipeline, schema) = load_pipeline(pipeline).unwrap();
    let table = ingest(&schema.unwrap(), &pipeline, &dir, &NoProgress).unwrap();
    Some((table, pipeline))
}

#[test]
fn normal_scores_of_real_columns_generalise() {
    let Some((table, mut pipeline)) = open_data("physionet2012-48h", "physionet2012") else { return };
    let mut bound = |transform| {
        pipeline.transform = transform;
        let b = Bundle::build(&table, None, &pipeline).unwrap();
        // Log-likelihood of each value under a standard normal coordinate, original units, as mean and
        // standard error.
        let e = b.stored_draw();
        let scores = |j: usize, split| {
            let c = &b.manifest.encoder.columns[j];
            let observed = b.rows(split).into_iter().filter(|&i| !b.raw[[i, j]].is_nan());
            let scores: Vec<f64> = observed
                .map(|i| {
                    let (v, log) = c.transform.forward(c.transform.inverse(e.values[[i, j]]));
                    // Single values hundreds of deviations out would decide the mean of `standardize`.
                    (normal_log_pdf(v) + log).max(-20.0)
                })
                .collect();
            mean_and_standard_error(&scores)
        };
        let p = b.raw.ncols();
        let all = |split| (0..p).map(|j| scores(j, split)).collect::<Vec<(f64, f64)>>();
        (all(Split::Train), all(Split::Test), b)
    };
    let (seen, unseen, b) = bound(TransformKind::NormalScore);
    let (_, line, _) = bound(TransformKind::Standardize);
    for (j, c) in b.manifest.encoder.columns.iter().enumerate() {
        let ((train, se_train), (test, se_test), (standardised, _)) = (seen[j], unseen[j], line[j]);
        eprintln!(
            "{:18} n {:5} train {train:7.3} test {test:7.3} standardised {standardised:7.3} {}",
            c.meta.name,
            c.n_observed,
            map_of(c)
        );
        let slack = 4.0 * se_train.hypot(se_test) + 0.01;
        assert!((train - test).abs() < slack, "{}: {train} {test} ± {slack}", c.meta.name);
        assert!(test > standardised - 0.02, "{}: {test} {standardised}", c.meta.name);
        if let Noise::Atoms { atoms } = &c.noise {
            assert!(atoms.len() <= 3, "{} is a comb of {} needles", c.meta.name, atoms.len());
        }
    }
}

fn map_of(c: &FittedColumn) -> String {
    match &c.transform {
        Transform::Levels(l) => format!("{} cells", l.n_cells()),
        Transform::NormalScore(g) => format!("{} knots, {:?}", g.x.len(), c.noise),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_open_mimic_demo_becomes_a_bundle() {
    let Some((table, pipeline)) = open_data("mimic3-first-24h", "mimic3-demo") else { return };
    let b = Bundle::build(&table, None, &pipeline).unwrap();
    let e = b.stored_draw();
    let rows = b.rows(Split::Train);
    for (j, c) in b.manifest.encoder.columns.iter().enumerate() {
        let largest = rows.iter().map(|&i| e.values[[i, j]].abs()).fold(0.0, f64::max);
        eprintln!("{:28} n {:4} |v| ≤ {largest:5.2} {}", c.meta.name, c.n_observed, map_of(c));
        assert!(largest < 7.0, "{}: {largest}", c.meta.name);
    }
    assert!(
        b.audit.messages.iter().any(|w| w.text.contains("training records for")),
        "{:?}",
        b.audit.messages
    );
}
