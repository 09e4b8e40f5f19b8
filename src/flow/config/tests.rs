//! What the settings of a flow allow, and how they are stored.

use super::*;

#[test]
fn all_problems_are_reported_at_once() {
    let config = FlowConfig {
        n_features: 0,
        hidden: 0,
        dropout: 1.0,
        random_start: f64::NAN,
        coupling: Coupling::Spline { n_bins: 0, bound: -1.0 },
        ..FlowConfig::default()
    };
    let Err(FlowError::Config { problems }) = config.check() else { panic!("accepted") };
    for name in ["n_features", "hidden", "n_bins", "bound", "dropout", "random_start"] {
        assert!(problems.iter().any(|p| p.contains(&format!("`{name}`"))), "{name}: {problems:?}");
    }
    assert_eq!(problems.len(), 6);
    let config = FlowConfig {
        context: vec![1, 0],
        base: BaseKind::Mixture { n_components: 2, covariance: Covariance::Full },
        permutation: Permutation::Data,
        ..FlowConfig::new(3)
    };
    let Err(FlowError::Config { problems }) = config.check() else { panic!("accepted") };
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(FlowConfig { context: vec![0, 1], ..FlowConfig::new(2) }.check().is_err());
    assert!(FlowConfig { context: vec![0, 2], ..FlowConfig::new(3) }.check().is_ok());
    assert!(FlowConfig::new(7).check().is_ok());
}

#[test]
fn survives_json_and_refuses_unknown_settings() {
    let config = FlowConfig {
        linear: Linear::PluDense,
        base: BaseKind::Mixture { n_components: 3, covariance: Covariance::Full },
        ..FlowConfig::new(12)
    };
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<FlowConfig>(&text).unwrap(), config);
    assert_eq!(serde_json::from_str::<FlowConfig>("{}").unwrap(), FlowConfig::default());
    assert!(serde_json::from_str::<FlowConfig>(r#"{"hiden": 3}"#).is_err());
}

#[test]
fn every_coordinate_is_transformed_within_two_blocks_and_sides_are_balanced() {
    for mask in [Mask::Halves, Mask::Cycling] {
        for d in 2..40 {
            let config = FlowConfig { mask, ..FlowConfig::new(d) };
            for block in (0..12).step_by(2) {
                let (a, b) = (config.transforms(block), config.transforms(block + 1));
                assert!(a.iter().zip(&b).all(|(a, b)| a != b));
                let n = a.iter().filter(|t| **t).count();
                assert!(n >= d / 4 && d - n >= d / 4 && n > 0 && n < d, "d = {d}, block {block}: {n}");
            }
        }
    }
}
