//! Likelihood of some features and completions of records, through the program and against exact figures.

use std::collections::HashSet;
use std::fs;

use std::sync::Arc;

use cohort_flow::artifact::{Ensemble, Member, Model, ModelArtifact};
use cohort_flow::baseline::Mixture;
use cohort_flow::partial::{Proposal, impute, marginals};
use cohort_flow::random::Seed;
use ndarray::Array2;

use crate::support::{bundle, fail, succeed, table};

fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect()
}

/// A mixture fitted to four columns without noise, and records of them.
fn fitted(dir: &std::path::Path) -> (ModelArtifact, Array2<f64>) {
    fs::write(dir.join("t.csv"), table(600, 3)).unwrap();
    let mut args = vec!["ingest", "wide-table", "--input", "t.csv", "--output", "b"];
    for set in ["transform=none", "dequantize=none", "role.sex=ignore", "role.lactate=ignore"] {
        args.extend(["--set", set]);
    }
    succeed(dir, &args);
    succeed(dir, &["fit", "b", "--output", "m", "--model", "gmm"]);
    let model = ModelArtifact::load(&dir.join("m")).unwrap();
    let raw = cohort_flow::features::Bundle::open(&dir.join("b")).unwrap().raw;
    (model, raw)
}

/// Of heart rate, systolic and mean pressure, and GCS.
fn covariance() -> Array2<f64> {
    ndarray::array![
        [144.0, -100.0, -70.0, -10.0],
        [-100.0, 277.0, 190.0, 12.0],
        [-70.0, 190.0, 145.0, 8.0],
        [-10.0, 12.0, 8.0, 4.0]
    ]
}

/// Two Gaussians with that covariance times `scale`, both moved by `shift`.
fn mixture(shift: [f64; 4], scale: f64) -> Mixture {
    let means = ndarray::array![[80.0, 125.0, 87.0, 13.0], [95.0, 110.0, 78.0, 11.0]];
    let one = covariance() * scale;
    let both = ndarray::stack(ndarray::Axis(0), &[one.view(), one.view()]).unwrap();
    Mixture::new(ndarray::array![0.6, 0.4], means + ndarray::aview1(&shift), both).unwrap()
}

/// The mean of two mixtures has a marginal that is known, and only one of them proposes: what the estimate is
/// of a model whose marginal is not known, with the truth at hand.
#[test]
fn marginals_by_importance_sampling_agree_with_the_exact_ones() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut model, raw) = fitted(tmp.path());
    let raw = raw.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..60)).to_owned();
    let first = Arc::new(mixture([0.0; 4], 1.0));
    let second = Arc::new(mixture([3.0, 4.0, 2.0, 0.5], 1.3));
    model.model = first.clone();
    let wanted = [true, false, true, false];
    let exact = |model: &ModelArtifact| {
        marginals(&Proposal::of(model).unwrap(), raw.view(), &wanted, 4, Seed(1)).unwrap()
    };
    let one = exact(&model);
    // Nothing is left to chance: no noise, and the other features are integrated out in closed form.
    assert!(one.standard_error.iter().all(|e| *e < 1e-6));
    let all = marginals(&Proposal::of(&model).unwrap(), raw.view(), &[true; 4], 2, Seed(1)).unwrap();
    let joint = model.score(raw.view()).log_prob;
    assert!(all.log_prob.iter().zip(&joint).all(|(a, b)| (a - b).abs() < 1e-8));
    model.model = second.clone();
    let two = exact(&model);
    let members = [first, second].map(|model| Member { weight: 0.5, model: model as Arc<dyn Model> });
    model.model = Arc::new(Ensemble::new(members.into()).unwrap());
    let got = marginals(&Proposal::of(&model).unwrap(), raw.view(), &wanted, 2000, Seed(1)).unwrap();
    let mut z = 0.0;
    for i in 0..60 {
        let truth = (0.5 * one.log_prob[i].exp() + 0.5 * two.log_prob[i].exp()).ln();
        let off = got.log_prob[i] - truth;
        assert!(off.abs() < 6.0 * got.standard_error[i] + 1e-9 && got.standard_error[i] < 0.1, "{i}: {off}");
        z += (off / got.standard_error[i]).powi(2);
        assert!(got.effective_samples[i] > 50.0, "{}", got.effective_samples[i]);
    }
    // Errors are as large as they say: the mean square of 60 is 1 ± 0.18.
    assert!((0.3..2.0).contains(&(z / 60.0)), "{}", z / 60.0);
}

/// The regression of one feature on the others, in closed form, against the mean of the completions.
#[test]
fn completions_have_the_conditional_mean_of_a_gaussian() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut model, raw) = fitted(tmp.path());
    let single = Mixture::new(
        ndarray::array![1.0],
        Array2::from_shape_vec((1, 4), vec![80.0, 125.0, 87.0, 13.0]).unwrap(),
        covariance().insert_axis(ndarray::Axis(0)),
    )
    .unwrap();
    let mut given = raw.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..5)).to_owned();
    // Only `map` is given, `sbp` is looked at: the mean of a simple regression.
    for j in [0, 1, 3] {
        given.column_mut(j).fill(f64::NAN);
    }
    for exact in [true, false] {
        let one: Arc<dyn Model> = Arc::new(single.clone());
        model.model = if exact {
            one
        } else {
            Arc::new(Ensemble::new(vec![Member { weight: 1.0, model: one }]).unwrap())
        };
        let proposal = Proposal::of(&model).unwrap();
        let done = impute(&proposal, given.view(), 2000, 4000, Seed(2)).unwrap();
        assert!(done.effective_samples.iter().all(|e| *e > 2000.0), "{:?}", done.effective_samples);
        for i in 0..5 {
            let expected = 125.0 + 190.0 / 145.0 * (given[(i, 2)] - 87.0);
            let drawn = (0..2000).map(|k| done.raw[(2000 * i + k, 1)]);
            assert!((0..2000).all(|k| done.raw[(2000 * i + k, 2)] == given[(i, 2)]));
            let got = drawn.sum::<f64>() / 2000.0;
            // The residual has standard deviation 5.3, a mean of 2,000 draws 0.12, and somewhat more by
            // weights.
            assert!((got - expected).abs() < 0.8, "{exact} {i}: {got} {expected}");
        }
    }
}

#[test]
fn both_serve_through_the_program_and_repeat_to_the_byte() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 400);
    let flow = ["--preset", "small", "--epochs", "4", "--ensemble", "1"];
    succeed(dir, &[&["fit", "bundle", "--output", "flow"], &flow[..]].concat());
    succeed(dir, &["fit", "bundle", "--output", "gmm", "--model", "gmm"]);
    let given =
        "id,heart_rate,sbp,map,gcs,sex,lactate\na,91,,88.5,15,,2.1\nb,,,,,,\nc,70,120,85.2,14,F,1.3\n";
    fs::write(dir.join("partial.csv"), given).unwrap();
    for model in ["flow", "gmm"] {
        let mut bytes = HashSet::new();
        for threads in ["1", "2"] {
            let common = ["--importance-samples", "64", "--force", "--threads", threads];
            let score = ["score", model, "bundle", "--columns", "sbp,sex,lactate", "--output", "s.csv"];
            succeed(dir, &[&score[..], &common].concat());
            let sample = ["sample", model, "--given", "partial.csv", "--n", "5", "--output", "c.csv"];
            succeed(dir, &[&sample[..], &common].concat());
            bytes.insert((fs::read(dir.join("s.csv")).unwrap(), fs::read(dir.join("c.csv")).unwrap()));
        }
        assert_eq!(bytes.len(), 1, "{model}");
        let scores = rows(&fs::read_to_string(dir.join("s.csv")).unwrap());
        assert_eq!(scores.len(), 401);
        assert_eq!(scores[0], ["record_id", "split", "log_prob", "standard_error", "effective_samples"]);
        assert!(scores[1..].iter().all(|r| r[2..].iter().all(|x| x.parse::<f64>().unwrap().is_finite())));

        let done = rows(&fs::read_to_string(dir.join("c.csv")).unwrap());
        assert_eq!(done.len(), 16);
        let head = ["record_id", "draw", "effective_samples"];
        assert_eq!(done[0][..3], head);
        for row in &done[1..] {
            assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
            assert!(["F", "M"].contains(&row[7 + usize::from(done[0][7] != "sex")].as_str()), "{row:?}");
        }
        for (k, row) in done[1..6].iter().enumerate() {
            assert_eq!((row[0].as_str(), row[1].parse::<f64>().unwrap()), ("a", (k + 1) as f64));
            let number = |j: usize| row[j].parse::<f64>().unwrap();
            assert!(number(3) == 91.0 && number(5) == 88.5 && number(8) == 2.1, "{row:?}");
        }
        // The second record is all drawn, and not one and the same; the third is given back.
        assert!(done[6..11].iter().map(|r| &r[4]).collect::<HashSet<_>>().len() > 1);
        assert_eq!(done[11][3..], done[15][3..]);
    }
    let score = |columns| vec!["score", "gmm", "bundle", "--output", "x.csv", "--columns", columns];
    fail(dir, &score("sbp,hart_rate"), &["no feature `hart_rate`", "heart_rate"]);
    fail(dir, &score("sbp,sbp"), &["named twice"]);
    let sample = ["sample", "gmm", "--n", "2", "--output", "x.csv", "--given", "wrong.csv"];
    fs::write(dir.join("wrong.csv"), given.replace(",F,", ",Q,")).unwrap();
    fail(dir, &sample, &["`sex`", "category", "F"]);
    fs::write(dir.join("wrong.csv"), given.replace("lactate", "lactate,lactat").replace("\nc", ",\nc"))
        .unwrap();
    fail(dir, &sample, &["wrong.csv"]);
    let lines: Vec<String> =
        given.lines().map(|l| format!("{l},{}", if l.starts_with("id") { "lactat" } else { "1" })).collect();
    let extra = lines.join("\n") + "\n";
    fs::write(dir.join("wrong.csv"), extra).unwrap();
    fail(dir, &sample, &["does not know", "`lactat`"]);
    fs::write(dir.join("wrong.csv"), "id,sbp\na,\n").unwrap();
    fail(dir, &sample, &["heart_rate"]);
}
