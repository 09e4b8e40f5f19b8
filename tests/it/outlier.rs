//! Planted mistakes of a synthetic extract are found and explained, from the files to the flags.

use std::collections::HashMap;
use std::path::Path;

use cohort_flow::artifact::{Estimator, MixtureEstimator, ModelArtifact, Run};
use cohort_flow::baseline::MixtureConfig;
use cohort_flow::evaluate::Score;
use cohort_flow::features::Bundle;
use cohort_flow::ingest::{NoProgress, ingest};
use cohort_flow::outlier::{Evaluation, FlagOptions, Flags, Label, Rule, calibration_scores, evaluate, flag};
use cohort_flow::random::Seed;
use cohort_flow::schema::{Split, load_pipeline};
use cohort_flow::synth::{SynthConfig, synthesize};
use cohort_flow::train::Silent;

const RULE: Rule = Rule::Alpha(0.05);

/// A synthetic cohort with its planted mistakes.
fn cohort(dir: &Path, patients: u64) -> (Bundle, HashMap<String, Label>) {
    let extract = dir.join("extract");
    let config = SynthConfig { patients, seed: Seed(1), anomaly_fraction: 0.05, ..SynthConfig::default() };
    synthesize(&config, &extract, &|_| {}).unwrap();
    let (pipeline, schema) = load_pipeline("mimic3-first-24h").unwrap();
    let schema = schema.unwrap();
    let table = ingest(&schema, &pipeline, &extract, &NoProgress).unwrap();
    let bundle = Bundle::build(&table, Some(&schema), &pipeline).unwrap();
    let mut reader = csv::Reader::from_path(extract.join("anomalies.csv")).unwrap();
    let labels = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let features = row[3].split([' ', ';']).map(str::to_owned).collect();
            (row[0].to_owned(), Label { kind: Some(row[2].to_owned()), features })
        })
        .collect();
    (bundle, labels)
}

/// Flags all records that were not fitted on.
fn judge(
    bundle: &Bundle,
    model: &ModelArtifact,
    labels: &HashMap<String, Label>,
    score: &Score,
) -> (Flags, Evaluation) {
    let rows: Vec<usize> = (0..bundle.splits.len()).filter(|&i| bundle.splits[i] != Split::Train).collect();
    let raw = bundle.raw.select(ndarray::Axis(0), &rows);
    let ids: Vec<String> = rows.iter().map(|&i| bundle.record_ids[i].clone()).collect();
    let truth: Vec<Label> = ids.iter().map(|id| labels.get(id).cloned().unwrap_or_default()).collect();
    let (density, encoder) = (model.density(), &model.encoder);
    let calibration = bundle.raw_of(Split::Calibration);
    let draws = model.header.score_draws;
    let scores = calibration_scores(density, encoder, calibration.view(), score, draws, Seed(3));
    let options =
        FlagOptions { rule: RULE, score: score.clone(), draws, seed: Seed(4), ..FlagOptions::default() };
    let flags = flag(density, encoder, &scores, raw.view(), &ids, &options).unwrap();
    let evaluation = evaluate(&flags, &truth).unwrap();
    (flags, evaluation)
}

#[test]
fn planted_mistakes_rank_high_and_their_variables_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (bundle, labels) = cohort(dir.path(), 2000);
    // One component: the fit is not what is tested.
    let config = MixtureConfig { components: vec![1], starts: 1, ..MixtureConfig::default() };
    let model = ModelArtifact::of(
        &bundle,
        MixtureEstimator { config }.fit(&bundle, &Run::new(Seed(0), &Silent)).unwrap(),
    );
    assert!(model.header.score.is_combined());
    let (flags, e) = judge(&bundle, &model, &labels, &model.header.score);
    eprintln!("{}", serde_json::to_string_pretty(&e).unwrap());
    for row in flags.rows.iter().filter(|r| r.flagged) {
        let label = labels.get(&row.record_id).map_or("-", |l| l.kind.as_deref().unwrap_or_default());
        eprintln!("{label:10} p {:.4} {}", row.p_value, row.sentence);
    }
    assert!(e.n_anomalies > 20 && e.auroc > 0.8, "{e:?}");
    assert!(e.recall > 0.4 && e.false_alarm_rate < 0.08, "{e:?}");
    let (explained, named) = e.by_kind.iter().fold((0, 0), |(a, b), k| (a + k.n_explained, b + k.n_named));
    assert!(named as f64 > 0.7 * explained as f64, "{e:?}");
    // The choice of the score is a measurement: the log-likelihood alone ranks mistakes worse.
    let (_, plain) = judge(&bundle, &model, &labels, &Score::default());
    assert!(e.auroc > plain.auroc && e.average_precision > plain.average_precision, "{e:?}\n{plain:?}");
}
