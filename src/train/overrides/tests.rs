use super::*;
use crate::flow::Windows;

fn pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
}

#[test]
fn settings_reach_both_configurations() {
    let (mut flow, mut train) = (FlowConfig::new(4), TrainConfig::default());
    let settings = [
        ("n_bins", "5"),
        ("hidden", "7"),
        ("parametrisation", "raw"),
        ("base", "mixture"),
        ("learning_rate", "0.5"),
        ("max_epochs", "3"),
    ];
    apply_overrides(&mut flow, &mut train, &pairs(&settings)).unwrap();
    assert_eq!(flow.coupling, Coupling::Spline { n_bins: 5, bound: 5.0 });
    assert_eq!((flow.hidden, train.max_epochs, train.learning_rate), (7, 3, 0.5));
    assert!(matches!(flow.linear, Linear::Butterfly { parametrisation: Parametrisation::Raw, .. }));
    assert!(matches!(flow.base, BaseKind::Mixture { covariance: Covariance::Full, .. }));
}

#[test]
fn all_mistakes_are_reported_with_the_allowed_settings_and_nothing_is_changed() {
    let (mut flow, mut train) = (FlowConfig::new(4), TrainConfig::default());
    let before = (flow.clone(), train.clone());
    let settings = [
        ("hiden", "7"),
        ("dropout", "2"),
        ("coupling", "affine"),
        ("n_bins", "5"),
        ("hidden", "1.5"),
        ("mask", "x"),
        ("learning_rate", "0"),
        ("patience", "9"),
    ];
    let e = apply_overrides(&mut flow, &mut train, &pairs(&settings)).unwrap_err();
    let TrainError::Overrides { problems, allowed } = &e else { panic!("{e}") };
    assert_eq!(problems.len(), 6, "{problems:?}");
    assert!(problems.contains(&"`mask` must be cycling or halves, got `x`".to_string()), "{problems:?}");
    assert!(
        problems.contains(&"`learning_rate` must be a number above 0 and at most 1, got `0`".to_string())
    );
    assert_eq!(allowed.len(), 39);
    assert_eq!((flow, train), before);
}

/// Setting a key to a number and reading it back gives the same number.
#[test]
fn keys_set_what_they_get() {
    let mut flow = FlowConfig { window: Some(Windows::default()), ..FlowConfig::new(4) };
    let mut train = TrainConfig::default();
    for key in flow_keys() {
        let x = if key.range.whole { 3.0 } else { 0.25 };
        (key.set)(&mut flow, x);
        assert_eq!((key.get)(&flow), x, "{}", key.name);
    }
    for key in train_keys() {
        let x = if key.range.whole { 3.0 } else { 0.25 };
        (key.set)(&mut train, x);
        assert_eq!((key.get)(&train), x, "{}", key.name);
    }
}
