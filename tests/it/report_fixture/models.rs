//! Models: their curves, figures and learned layers.

use super::*;

pub(super) fn curve(name: &str, n: usize, at: f64) -> LearningCurve {
    LearningCurve {
        model: name.into(),
        epochs: (1..=n)
            .map(|epoch| {
                let e = epoch as f64;
                Epoch {
                    epoch,
                    train: Some(at - 1.0 - 30.0 * (-e / 3.0).exp() + 0.004 * e),
                    validation: Some(at - 1.1 - 30.0 * (-e / 3.0).exp() - 0.00008 * (e - 35.0).powi(2)),
                }
            })
            .collect(),
        best_epoch: Some(35.min(n)),
        validation_error: Some(0.2),
    }
}

pub(super) fn model(name: &str, role: Role, mean: f64, privacy: Privacy) -> ModelSummary {
    ModelSummary {
        name: name.into(),
        kind: name.into(),
        family: role,
        seed: 7,
        n_parameters: 123_456,
        epochs: Some(60),
        train_seconds: Some(if role == Role::Flow { 83.2 } else { 4.1 }),
        rows_per_second: Some(42_000.0),
        peak_memory_bytes: Some(310_000_000),
        splits: SPLITS
            .map(|(split, n)| SplitScore {
                split: split.into(),
                n: privacy.count(n),
                mean: Some(mean),
                standard_error: Some(0.11),
                median: Some(mean + 0.4),
                original_units: Some(mean - 60.0),
                original_units_error: Some(0.2),
                importance_weighted: Some(mean - 59.8),
            })
            .to_vec(),
    }
}

pub(super) fn learned(name: &str, labels: &[String]) -> Learned {
    let p = labels.len();
    let matrix = |i: usize, j: usize| if (i + 1) % p == j { 0.9 } else { 0.3 * wave(i * j, i + j) };
    Learned {
        model: name.into(),
        kind: name.into(),
        coordinates: labels.to_vec(),
        layers: (1..=3)
            .map(|block| LearnedLayer {
                block,
                n_parameters: 4 * p,
                matrix: (p <= 60).then(|| (0..p).map(|i| (0..p).map(|j| matrix(i, j)).collect()).collect()),
                inputs: labels.to_vec(),
                permutation: (0..p).map(|i| (i + 1) % p).collect(),
                distance: Some(0.4),
                share_on_permutation: Some(0.8),
                n_in_place: 0,
                determinant: Some(0.87),
                log_determinant: Some(-0.14),
                condition: Some(12.3),
                strongest: vec![Mixing {
                    first: labels[0].clone(),
                    second: labels[p - 1].clone(),
                    strength: 0.61,
                }],
            })
            .collect(),
        fault: None,
    }
}
