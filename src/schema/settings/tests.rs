use super::*;
use crate::schema::load_pipeline;

fn set(pipeline: &mut Pipeline, settings: &[(&str, &str)]) -> Result<(), SchemaError> {
    let settings: Vec<_> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    apply_settings(pipeline, &settings)
}

#[test]
fn every_key_is_applied() {
    let (mut pipeline, _) = load_pipeline("mimic3-first-24h").unwrap();
    set(
        &mut pipeline,
        &[
            ("transform", "none"),
            ("dequantize", "none"),
            ("seed", "7"),
            ("min_observed", "0.25"),
            ("min_level_patients", "10"),
            ("window.start", "-6"),
            ("window.end", "48"),
            ("window.until_end", "false"),
            ("split.train", "0.5"),
            ("split.validation", "0.2"),
            ("split.calibration", "0.2"),
            ("split.test", "0.1"),
        ],
    )
    .unwrap();
    assert_eq!(pipeline.transform, TransformKind::None);
    assert!(!pipeline.dequantize && !pipeline.window.until_end);
    assert_eq!((pipeline.seed, pipeline.min_observed), (7, 0.25));
    assert_eq!(pipeline.min_level_patients, 10);
    assert_eq!((pipeline.window.start_hours, pipeline.window.end_hours), (-6.0, 48.0));
    let split = pipeline.split;
    assert_eq!([split.train, split.validation, split.calibration, split.test], [0.5, 0.2, 0.2, 0.1]);
}

#[test]
fn a_role_replaces_the_one_before() {
    let (mut pipeline, _) = load_pipeline("wide-table").unwrap();
    set(&mut pipeline, &[("role.x", "count"), ("role.x", "ordinal"), ("role.y", "id"), ("role.z", "ignore")])
        .unwrap();
    set(&mut pipeline, &[("role.y", "group"), ("role.z", "binary"), ("role.part", "split")]).unwrap();
    let wide = pipeline.wide.unwrap();
    assert_eq!((wide.id, wide.group.as_deref(), wide.split.as_deref()), (None, Some("y"), Some("part")));
    assert_eq!(wide.kinds, [("x".into(), Kind::Ordinal), ("z".into(), Kind::Binary)]);
    assert!(wide.ignore.is_empty());
}

#[test]
fn missing_codes_and_decimal_marks_are_added() {
    let (mut pipeline, _) = load_pipeline("wide-table").unwrap();
    let settings = [
        ("missing", "-999, unknown"),
        ("missing.a.b", "9"),
        ("decimal.wbc", "comma"),
        ("decimal", "point"),
        ("separator", "tab"),
        ("role.x = y", "ignore"),
    ];
    set(&mut pipeline, &settings).unwrap();
    let wide = pipeline.wide.clone().unwrap();
    assert!(wide.missing.contains(&"unknown".to_owned()) && wide.missing.contains(&"NA".to_owned()));
    assert_eq!(wide.missing_in, [("a.b".to_owned(), vec!["9".to_owned()])]);
    assert_eq!(wide.decimal_in, [("wbc".to_owned(), DecimalMark::Comma)]);
    assert_eq!(wide.separator, Some('\t'));
    assert_eq!((wide.decimal, wide.ignore), (Some(DecimalMark::Point), vec!["x = y".to_owned()]));
    let error = set(&mut pipeline, &[("missing", ","), ("decimal.x", "dot"), ("missing.", "1")]).unwrap_err();
    let text = error.to_string();
    for part in ["no text is given", "must be point or comma", "no column is named"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn all_wrong_settings_are_named_at_once_and_none_is_applied() {
    let (mut pipeline, _) = load_pipeline("mimic3-first-24h").unwrap();
    let before = pipeline.clone();
    let error = set(
        &mut pipeline,
        &[
            ("seed", "7"),
            ("transfrom", "none"),
            ("transform", "nope"),
            ("seed", "-1"),
            ("min_observed", "2"),
            ("window.end", "0"),
            ("split.train", "0.9"),
            ("role.x", "count"),
            ("dequantize", "maybe"),
            ("window.start", "inf"),
        ],
    )
    .unwrap_err();
    assert_eq!(pipeline, before);
    insta::assert_snapshot!(error.to_string(), @"
    `--set transfrom`: unknown key
    `--set transform`: unknown transform `nope`; allowed are `normal-score`, `standardize`, `robust`, `log-standardize`, `none`
    `--set seed`: must be a whole number, 0 or more, got `-1`
    `--set min_observed`: `min_observed` is a share from 0 to 1, found 2
    `--set role.x`: roles are set for wide tables only
    `--set dequantize`: must be true or false, got `maybe`
    `--set window.start`: must be a finite number, got `inf`
    `--set split.train`: the shares of the split must sum to 1, found 1.3
    `--set window.end`: the window must end after it starts, found 0 to 0 hours
    ");
}

#[test]
fn wide_tables_have_no_window_and_no_unknown_roles() {
    let (mut pipeline, _) = load_pipeline("wide-table").unwrap();
    let error =
        set(&mut pipeline, &[("window.end", "4"), ("role.x", "integer"), ("role.", "count")]).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"
    `--set window.end`: a wide table has no times, so no window either
    `--set role.x`: unknown role `integer`; allowed are `continuous`, `count`, `ordinal`, `binary`, `categorical`, `id`, `group`, `split`, `label`, `ignore`
    `--set role.`: no column is named
    ");
}
