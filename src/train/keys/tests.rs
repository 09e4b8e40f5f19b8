use super::*;
use crate::train::apply_settings;

fn start() -> FlowSettings {
    FlowSettings { flow: FlowConfig::new(4), train: TrainConfig::default() }
}

fn pairs(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
}

#[test]
fn settings_reach_both_configurations() {
    let mut changed = start();
    let settings = [
        ("n_bins", "5"),
        ("hidden", "7"),
        ("parametrisation", "raw"),
        ("base", "mixture"),
        ("learning_rate", "0.5"),
        ("max_epochs", "3"),
    ];
    apply_settings(&mut changed, &FlowSettings::keys(), &pairs(&settings)).unwrap();
    let FlowSettings { flow, train } = changed;
    assert_eq!(flow.coupling, Coupling::Spline { n_bins: 5, bound: 5.0 });
    assert_eq!((flow.hidden, train.max_epochs, train.learning_rate), (7, 3, 0.5));
    assert!(matches!(flow.linear, Linear::Butterfly { parametrisation: Parametrisation::Raw, .. }));
    assert!(matches!(flow.base, BaseKind::Mixture { covariance: Covariance::Full, .. }));
}

#[test]
fn all_mistakes_are_reported_with_the_allowed_settings_and_nothing_is_changed() {
    let mut changed = start();
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
    let error = apply_settings(&mut changed, &FlowSettings::keys(), &pairs(&settings)).unwrap_err();
    let problems = &error.problems;
    assert_eq!(problems.len(), 6, "{problems:?}");
    for expected in [
        "`mask` must be cycling or halves, got `x`",
        "`learning_rate` must be a number above 0 and at most 1, got `0`",
        "there is no setting `hiden`; did you mean `hidden`?",
        "`n_bins` applies to spline couplings, and this flow has affine ones",
    ] {
        assert!(problems.iter().any(|p| p == expected), "{expected}: {problems:?}");
    }
    assert_eq!(error.allowed.len(), 43);
    assert_eq!(changed, start());
}

/// A setting that would be ignored is refused, in whatever order it is given.
#[test]
fn settings_without_effect_are_refused() {
    let of = |linear, settings: &[(&str, &str)]| {
        let mut flow = start();
        flow.flow.linear = linear;
        apply_settings(&mut flow, &FlowSettings::keys(), &pairs(settings)).map_err(|e| e.problems)
    };
    let butterflies = FlowConfig::default().linear;
    for (linear, settings, refused) in [
        (
            Linear::PluDense,
            &[("schedule", "radix2")][..],
            "`schedule` applies to butterflies of flows of tables",
        ),
        (Linear::PluDense, &[("parametrisation", "raw")], "`parametrisation` applies to butterflies"),
        (
            Linear::Permutation,
            &[("linear_rate", "2")],
            "`linear_rate` applies to mixing layers that are learned",
        ),
        (Linear::Permutation, &[("random_start", "1")], "`random_start` applies to butterflies"),
        (butterflies, &[("base_rate", "2")], "`base_rate` applies to mixture bases"),
        (butterflies, &[("log_scale_bound", "2")], "`log_scale_bound` applies to affine couplings"),
        (
            butterflies,
            &[("mask", "halves"), ("conditioning", "autoregressive")],
            "`mask` applies to couplings",
        ),
        (butterflies, &[("permutation_seed", "2")], "`permutation_seed` applies to random permutations"),
        (
            butterflies,
            &[("butterfly", "patch")],
            "`butterfly` applies to butterflies of flows of waveform windows",
        ),
    ] {
        let problems = of(linear, settings).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with(refused), "{refused}: {problems:?}");
    }
    for (linear, settings) in [
        (butterflies, &[("schedule", "radix2"), ("base_rate", "2"), ("base", "mixture")][..]),
        (butterflies, &[("permutation_seed", "2"), ("permutation", "random")]),
        (Linear::Permutation, &[("permutation_seed", "2")]),
        (Linear::PluDense, &[("linear_rate", "0.5"), ("random_start", "1")]),
        (butterflies, &[("log_scale_bound", "2"), ("coupling", "affine")]),
    ] {
        of(linear, settings).unwrap();
    }
}

/// Every key has one name, and a number that is set is what the check reads back.
#[test]
fn keys_set_what_they_get() {
    let mut settings = start();
    settings.flow.window = Some(Windows::default());
    let names: std::collections::BTreeSet<_> = FlowSettings::keys().iter().map(Key::name).collect();
    assert_eq!(names.len(), FlowSettings::keys().len());
    for key in FlowSettings::keys() {
        assert!(
            key.keeps_numbers(&mut settings, 3.0) || key.keeps_numbers(&mut settings, 0.25),
            "{}",
            key.name()
        );
    }
}
