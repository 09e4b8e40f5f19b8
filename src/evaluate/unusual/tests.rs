use super::*;
use crate::evaluate::parts::{dependence, marginal};
use crate::evaluate::{RecordScores, score_records};
use crate::features::Bundle;
use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
use crate::num::special::normal_log_pdf;
use crate::schema::{Kind, Split, load_pipeline};
use ndarray::array;

/// Two numbers that always are equal, 400 records.
fn bundle() -> Bundle {
    let n = 400;
    let x: Vec<f64> = (0..n).map(|i| f64::from(i * 7919 % n) + 0.25).collect();
    let column = |name: &str| Column {
        name: name.into(),
        label: name.into(),
        group: String::new(),
        unit: String::new(),
        kind: Kind::Continuous,
        resolution: None,
        range: None,
        spelling: crate::ingest::Spelling::undeclared(),
        cells: Cells::Number(x.clone().into()),
    };
    let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    let table = RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: None,
        columns: vec![column("a"), column("b")],
        labels: Vec::new(),
        audit: Audit::default(),
    };
    Bundle::build(&table, None, &load_pipeline("wide-table").unwrap().0).unwrap()
}

#[test]
fn marginal_sees_far_values_and_dependence_broken_pairs() {
    let bundle = bundle();
    let encoder = &bundle.manifest.encoder;
    let (far, broken, usual) = (array![900.0, 900.0], array![40.0, 360.0], array![200.0, 200.0]);
    assert!(marginal(encoder, far.view()) > 10.0);
    assert!(marginal(encoder, broken.view()) < 4.0);
    // More usual values do not make a record more unusual, but values that were never missing do by missing:
    // P = ½/(n + 1) for each.
    let never = 2.0 * (2.0 * (bundle.rows(Split::Train).len() + 1) as f64).ln();
    assert!((marginal(encoder, array![f64::NAN, f64::NAN].view()) - never).abs() < 1e-9);
    assert!(marginal(encoder, usual.view()) < 0.0);
    // log p(v) = log N(v₁; 0, 1) + log N(v₂; v₁, 0.1²), the density of the pair.
    let v = |x: f64| encoder.columns[0].encode(x, 0.5).0;
    let joint = |row: &ndarray::Array1<f64>| {
        normal_log_pdf(v(row[0])) + normal_log_pdf((v(row[1]) - v(row[0])) / 0.1) - 0.1_f64.ln()
    };
    let d = |row: &ndarray::Array1<f64>| dependence(encoder, row.view(), joint(row));
    assert!(d(&broken) > d(&usual) + 50.0, "{} {}", d(&broken), d(&usual));
    // Far out, but as a pair should be: nothing odd about their dependence.
    assert!(d(&far) < d(&usual), "{} {}", d(&far), d(&usual));
}

/// The reference records, and the scores of the default with and without distances.
fn scored() -> (Bundle, RecordScores, Score, Score) {
    let bundle = bundle();
    let encoder = &bundle.manifest.encoder;
    let raw = bundle.raw_of(Split::Validation);
    let flow =
        crate::flow::Flow::<f32>::new(&crate::flow::FlowConfig::new(2), crate::random::Seed(1)).unwrap();
    let scores = score_records(&flow, encoder, raw.view(), 1, crate::random::Seed(1));
    let landmarks = Landmarks::fit(encoder, bundle.raw_of(Split::Train).view());
    let axes = crate::evaluate::axes(encoder);
    let means = ndarray::Array2::zeros((1, axes.len()));
    let covariance = array![[1.0, 0.9], [0.9, 1.0]];
    let covariances = std::iter::once(covariance.view());
    let mixture = Standardised::new(axes, &[1.0], means.view(), covariances).unwrap();
    let without = Score::combined(encoder, raw.view(), &scores, None, None);
    let with = Score::combined(encoder, raw.view(), &scores, landmarks, Some(mixture));
    (bundle, scores, without, with)
}

#[test]
fn a_model_offers_the_measures_it_has() {
    let (_, _, without, with) = scored();
    assert!(
        ScoreKind::ALL
            .into_iter()
            .filter(|kind| !ScoreKind::OF_PICTURES.contains(kind))
            .all(|kind| with.choose(kind).is_some())
    );
    assert_eq!(without.choose(ScoreKind::Distance), None);
    assert_eq!(with.choose(ScoreKind::Combined), Some(with.clone()));
    let plain = Score::default();
    assert_eq!((plain.choose(ScoreKind::Marginal), plain.is_combined()), (None, false));
    assert_eq!(plain.choose(ScoreKind::LogLikelihood), Some(plain.clone()));
    assert_eq!(plain.of(&bundle().manifest.encoder, array![1.0, 2.0].view(), -3.0, -9.0), 3.0);
}

#[test]
fn the_default_ranks_far_records_and_broken_pairs_above_ordinary_ones() {
    let (bundle, scores, without, with) = scored();
    let encoder = &bundle.manifest.encoder;
    let raw = bundle.raw_of(Split::Validation);
    for score in [&with, &without] {
        let reference = score.of_all(encoder, raw.view(), &scores);
        let above = |row: ndarray::Array1<f64>, l: f64, t: f64| {
            let own = score.of(encoder, row.view(), l, t);
            assert!(own.is_finite());
            reference.iter().filter(|r| **r < own).count() as f64 / reference.len() as f64
        };
        assert!(above(array![9000.0, 9000.0], -9.0, -3.0) > 0.99, "far by its values alone");
        assert!(above(array![200.0, 200.0], -70.0, -60.0) > 0.99, "far under the model alone");
        assert!(above(array![200.0, 200.0], -9.0, -2.8) < 0.9, "an ordinary record");
    }
    // Without distances the flow, which knows nothing of the pair here, would have to see it.
    let broken = with.of(encoder, array![20.0, 380.0].view(), -9.0, -3.0);
    let usual = with.of(encoder, array![200.0, 200.0].view(), -9.0, -3.0);
    assert!(broken > usual, "{broken} {usual}");
}

#[test]
fn a_score_read_back_from_a_model_is_the_same() {
    let (_, _, _, with) = scored();
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), with);
}

#[test]
fn reasons_name_the_measure_that_finds_a_record_unusual() {
    let (bundle, _, _, with) = scored();
    let encoder = &bundle.manifest.encoder;
    let first = |row: ndarray::Array1<f64>, tensor: f64| {
        let reasons = with.reasons(encoder, row.view(), 0.0, tensor);
        assert!(reasons.len() == 6 && reasons.windows(2).all(|r| r[0].tail <= r[1].tail), "{reasons:?}");
        assert!(reasons.iter().all(|r| (0.0..=1.0).contains(&r.tail)));
        reasons[0].measure
    };
    assert_eq!(first(array![200.0, 200.0], -60.0), ScoreKind::Vector);
    // Both values are everyday ones, and no record has them together.
    let together = first(array![40.0, 360.0], -2.0);
    assert!([ScoreKind::Distance, ScoreKind::Mixture].contains(&together), "{together}");
    assert!(Score::default().reasons(encoder, array![1.0, 1.0].view(), 0.0, 0.0).is_empty());
}
