//! Models of whole bundles: mixed columns with missing values, model folders, determinism to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cohort_flow::artifact::{ArtifactError, Family, Fitted, MixtureDetails, ModelArtifact};
use cohort_flow::baseline::{MixtureConfig, fit_mixture};
use cohort_flow::error::Hint;
use cohort_flow::evaluate::{score_records, split_metrics, stacked_draws};
use cohort_flow::features::Bundle;
use cohort_flow::flow::FlowConfig;
use cohort_flow::ingest::{Audit, Cells, Column, RecordTable, Subjects};
use cohort_flow::random::Seed;
use cohort_flow::schema::{Kind, Split, load_pipeline};
use cohort_flow::train::{
    FlowKind, Preset, Progress, Silent, TrainConfig, TrainError, checkpoint_dir, preset, train_flow,
};
use rand::Rng;

fn column(name: &str, kind: Kind, cells: Cells) -> Column {
    Column {
        name: name.into(),
        label: name.into(),
        group: "test".into(),
        unit: String::new(),
        kind,
        resolution: None,
        range: None,
        spelling: cohort_flow::ingest::Spelling::undeclared(),
        cells,
    }
}

/// A severity that nobody records drives two vitals, a count, a flag, a ward, and whether lactate was
/// measured at all.
fn table(n: usize, seed: u64) -> RecordTable {
    let mut rng = Seed(seed).stream("table", 0);
    let mut uniform = move || ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    let mut normal = {
        let mut u = move || uniform();
        // Twelve uniforms: near enough to a normal for a test table.
        move || (0..12).map(|_| u()).sum::<f64>() - 6.0
    };
    let mut numbers: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut wards = Vec::new();
    for _ in 0..n {
        let severity = normal();
        let mut push = |name, x: f64| numbers.entry(name).or_default().push(x);
        push("heart_rate", (85.0 + 15.0 * severity + 4.0 * normal()).round());
        push("temperature", ((37.0 + 0.6 * severity + 0.2 * normal()) * 10.0).round() / 10.0);
        push("drugs", (6.0 + 3.0 * severity + normal()).round().max(0.0));
        push("ventilated", f64::from(u8::from(severity + 0.3 * normal() > 0.5)));
        let lactate = (0.4 + 0.5 * severity + 0.2 * normal()).exp();
        push("lactate", if severity + 0.5 * normal() > 0.0 { lactate } else { f64::NAN });
        wards.push(Some(if severity > 1.0 {
            "icu"
        } else if severity > -0.5 {
            "step-down"
        } else {
            "ward"
        }));
    }
    let kinds = [
        ("heart_rate", Kind::Continuous),
        ("temperature", Kind::Continuous),
        ("drugs", Kind::Count),
        ("ventilated", Kind::Binary),
        ("lactate", Kind::Continuous),
    ];
    let mut columns: Vec<Column> = kinds
        .map(|(name, kind)| {
            column(name, kind, Cells::Number(numbers.remove(name).expect("every name has numbers").into()))
        })
        .into();
    columns.push(column("ward", Kind::Categorical, Cells::Text(wards.into())));
    let ids: Vec<String> = (0..n).map(|i| format!("r{i}")).collect();
    RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: None,
        columns,
        labels: Vec::new(),
        audit: Audit::default(),
    }
}

fn bundle(n: usize, seed: u64) -> Bundle {
    let (pipeline, _) = load_pipeline("wide-table").expect("the built-in pipeline loads");
    Bundle::build(&table(n, seed), None, &pipeline).expect("the test table makes a bundle")
}

fn configs(bundle: &Bundle, kind: FlowKind) -> (FlowConfig, TrainConfig) {
    let d = bundle.manifest.encoder.n_coordinates();
    let (mut flow, mut train) = preset(kind, Preset::Small, bundle.manifest.splits.train, d);
    flow.n_blocks = 2;
    flow.hidden = 32;
    train.max_epochs = 40;
    train.learning_rate = 5e-3;
    train.ema_decay = 0.95;
    train.checkpoint_epochs = 4;
    (flow, train)
}

fn fit(bundle: &Bundle, kind: FlowKind) -> ModelArtifact {
    let (flow, train) = configs(bundle, kind);
    let trained = train_flow(bundle, &flow, &train, None, false, &Silent).expect("training succeeds");
    ModelArtifact::of(bundle, Fitted::of_flow(kind, &train, trained))
}

fn mixture_of(bundle: &Bundle) -> ModelArtifact {
    let encoder = &bundle.manifest.encoder;
    let config = MixtureConfig { seed: Seed(3), ..MixtureConfig::default() };
    let train =
        stacked_draws(encoder, bundle.raw_of(Split::Train).view(), 2, Seed(3).child("train-noise", 0));
    let validation = stacked_draws(
        encoder,
        bundle.raw_of(Split::Validation).view(),
        4,
        Seed(3).child("validation-noise", 0),
    );
    let (gmm, trials) = fit_mixture(train.view(), validation.view(), 2, &config).expect("the mixture fits");
    ModelArtifact::of(
        bundle,
        Fitted::of_mixture(gmm, &MixtureDetails { search: config, trials, straight: false }, 0.5),
    )
}

/// The files that must not differ between equal runs.
fn reproducible(dir: &Path) -> Vec<Vec<u8>> {
    ["model.safetensors", "model.json", "history.csv"]
        .map(|f| fs::read(dir.join(f)).expect("the file is there"))
        .into()
}

#[test]
fn every_model_finds_what_the_columns_share() {
    let bundle = bundle(1500, 1);
    for artifact in [
        fit(&bundle, FlowKind::Butterfly),
        fit(&bundle, FlowKind::GlowLu),
        fit(&bundle, FlowKind::RealNvp),
        mixture_of(&bundle),
    ] {
        let test = &artifact.metrics.splits[&Split::Test];
        // What independent normals give the same vectors is what an untrained model would.
        let raw = bundle.raw_of(Split::Test);
        let independent = split_metrics(&score_records(
            &Independent(artifact.encoder.n_coordinates()),
            &artifact.encoder,
            raw.view(),
            16,
            Seed(4),
        ))
        .unwrap();
        let (got, base) = (test.mean_log_prob, independent.mean_log_prob);
        assert!(got > base + 1.0, "{}: {base} → {got}", artifact.header.family.kind);
        // The importance-weighted bound is never the looser one.
        assert!(test.mean_log_prob_iw >= got - 1e-9, "{test:?}");
        assert_eq!(artifact.calibration.len(), bundle.rows(Split::Calibration).len());
    }
}

struct Independent(usize);

impl cohort_flow::density::Density for Independent {
    fn n_features(&self) -> usize {
        self.0
    }
    fn n_parameters(&self) -> usize {
        0
    }
    fn log_prob(&self, v: ndarray::ArrayView2<'_, f64>) -> ndarray::Array1<f64> {
        v.rows()
            .into_iter()
            .map(|r| r.iter().map(|x| cohort_flow::num::special::normal_log_pdf(*x)).sum())
            .collect()
    }
    fn sample(&self, _: usize, _: Seed) -> ndarray::Array2<f64> {
        unreachable!("never sampled")
    }
}

#[test]
fn equal_fits_give_equal_bytes_for_one_and_two_threads() {
    let bundle = bundle(400, 2);
    let tmp = tempfile::tempdir().unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut files = Vec::new();
            for artifact in [fit(&bundle, FlowKind::Butterfly), mixture_of(&bundle)] {
                let dir = tmp.path().join(format!("{threads}-{}", artifact.header.family.kind));
                artifact.save(&dir, false).unwrap();
                files.extend(reproducible(&dir));
            }
            files
        })
    };
    assert_eq!(run(1), run(2));
}

struct StopAfter(AtomicUsize);

impl Progress for StopAfter {
    fn interrupted(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err()
    }
}

#[test]
fn interrupted_and_resumed_fit_gives_the_bytes_of_an_undisturbed_one() {
    let bundle = bundle(400, 3);
    let (flow, train) = configs(&bundle, FlowKind::Butterfly);
    let tmp = tempfile::tempdir().unwrap();
    let save = |trained, name: &str| {
        let dir = tmp.path().join(name);
        let fitted = Fitted::of_flow(FlowKind::Butterfly, &train, trained);
        ModelArtifact::of(&bundle, fitted).save(&dir, false).unwrap();
        reproducible(&dir)
    };
    let whole = save(train_flow(&bundle, &flow, &train, None, false, &Silent).unwrap(), "whole");
    let checkpoint = checkpoint_dir(&tmp.path().join("resumed"));
    for (resume, batches) in [(false, 1), (true, 9), (true, 30)] {
        let stop = StopAfter(AtomicUsize::new(batches));
        let e = train_flow(&bundle, &flow, &train, Some(&checkpoint), resume, &stop).unwrap_err();
        assert!(matches!(e, TrainError::Interrupted { .. }), "{e}");
        assert!(e.hint().unwrap().contains("--resume"));
    }
    let trained = train_flow(&bundle, &flow, &train, Some(&checkpoint), true, &Silent).unwrap();
    assert_eq!(save(trained, "resumed"), whole);
    // The same checkpoint is of no use to another bundle.
    let e = train_flow(&self::bundle(400, 4), &flow, &train, Some(&checkpoint), true, &Silent).unwrap_err();
    assert!(e.to_string().contains("belongs to another run"), "{e}");
}

#[test]
fn model_folder_reads_back_and_damage_is_named() {
    let bundle = bundle(400, 5);
    let tmp = tempfile::tempdir().unwrap();
    for artifact in [fit(&bundle, FlowKind::GlowLu), mixture_of(&bundle)] {
        let dir = tmp.path().join(artifact.header.family.kind.name());
        artifact.save(&dir, false).unwrap();
        let loaded = ModelArtifact::load(&dir).unwrap();
        assert_eq!(loaded.header, artifact.header);
        assert_eq!(loaded.encoder, artifact.encoder);
        assert_eq!(loaded.history, artifact.history);
        assert_eq!(loaded.metrics, artifact.metrics);
        let raw = bundle.raw_of(Split::Calibration);
        let scores = loaded.score(raw.view());
        let again = loaded.unusualness(raw.view(), &scores);
        assert_eq!(again, artifact.calibration, "calibration scores repeat to the bit");
        loaded.check_bundle(&bundle).unwrap();
        assert_eq!(loaded.model.mixture().is_some(), loaded.header.family.kind == Family::Gmm);
        assert_eq!(loaded.model.flow().is_none(), loaded.header.family.kind == Family::Gmm);

        let tensors = dir.join("model.safetensors");
        let mut bytes = fs::read(&tensors).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 0x40;
        fs::write(&tensors, &bytes).unwrap();
        assert!(matches!(ModelArtifact::load(&dir), Err(ArtifactError::Damaged { .. })));
        fs::write(&tensors, &bytes[..last / 2]).unwrap();
        assert!(matches!(ModelArtifact::load(&dir), Err(ArtifactError::Damaged { .. })));
        let json = dir.join("model.json");
        let text = fs::read_to_string(&json).unwrap();
        fs::write(&json, text.replacen("\"format_version\": 6", "\"format_version\": 3", 1)).unwrap();
        assert!(matches!(ModelArtifact::load(&dir), Err(ArtifactError::OtherVersion { version: 3, .. })));
        fs::write(&json, &text[..text.len() / 2]).unwrap();
        assert!(matches!(ModelArtifact::load(&dir), Err(ArtifactError::Damaged { .. })));
        fs::remove_file(&json).unwrap();
        assert!(matches!(ModelArtifact::load(&dir), Err(ArtifactError::NotAModel(_))));
    }
}

#[test]
fn model_of_other_columns_is_refused_by_name() {
    let one = bundle(200, 6);
    let artifact = mixture_of(&one);
    let mut other = table(200, 6);
    other.columns.remove(0);
    let (pipeline, _) = load_pipeline("wide-table").unwrap();
    let other = Bundle::build(&other, None, &pipeline).unwrap();
    let e = artifact.check_bundle(&other).unwrap_err();
    assert_eq!(e.to_string(), "the model does not fit the bundle: the bundle lacks `heart_rate`");
}

#[test]
fn tiny_tables_give_a_model_or_a_clear_error() {
    let (pipeline, _) = load_pipeline("wide-table").unwrap();
    for n in [1, 2, 5, 12] {
        let Ok(bundle) = Bundle::build(&table(n, 7), None, &pipeline) else { continue };
        let (flow, train) = configs(&bundle, FlowKind::Butterfly);
        match train_flow(&bundle, &flow, &train, None, false, &Silent) {
            Ok(trained) => assert!(trained.history.iter().all(|r| r.validation_log_prob.is_finite())),
            Err(e) => assert!(matches!(e, TrainError::TooFewRows { .. }) && e.hint().is_some(), "{e}"),
        }
    }
}
