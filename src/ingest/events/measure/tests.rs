//! One row → one value.

use super::*;
use crate::schema::{Aggregation, Conversion};

fn variable(change: impl FnOnce(&mut Variable)) -> Variable {
    let mut v = Variable {
        name: "x".into(),
        label: "x".into(),
        group: "test".into(),
        unit: "kg".into(),
        kind: Kind::Continuous,
        range: None,
        clip: None,
        resolution: None,
        missing_codes: vec![],
        value_map: vec![],
        levels: vec![],
        absent: None,
        censored: false,
        conversions: vec![],
        sources: vec![],
        derived: None,
        aggregate: Aggregation::Mean,
    };
    change(&mut v);
    v
}

fn target(change: impl FnOnce(&mut Target)) -> Target {
    let mut t =
        Target { variable: 0, slot: 0, units: vec![], scale: 1.0, offset: 0.0, rule: None, precedence: 0 };
    change(&mut t);
    t
}

fn measure(
    v: &Variable,
    t: &Target,
    rows: &[(Option<f64>, Option<&str>, Option<&str>)],
) -> (Vec<Result<Value, Rejected>>, VariableAudit) {
    let (mut meter, mut units) = (Meter::new(v), Units::new());
    let out = rows
        .iter()
        .map(|(number, text, unit)| {
            let unit = units.place(*unit);
            meter.measure(t, Raw { number: *number, text: *text, unit, beyond: None }, &units)
        })
        .collect();
    meter.close(&units);
    (out, meter.audit)
}

#[test]
fn units_decide_the_conversion() {
    let v = variable(|v| {
        v.conversions = vec![Conversion { unit: "lb".into(), scale: 0.5, offset: 0.0 }];
    });
    let t = target(|t| t.units = vec!["kg".into()]);
    let row = |unit| (Some(8.0), None, unit);
    let (out, audit) =
        measure(&v, &t, &[row(Some(" KG")), row(None), row(Some("")), row(Some("lb")), row(Some("st"))]);
    let eight = Ok(Value::Number(8.0));
    assert_eq!(out, [eight, eight, eight, Ok(Value::Number(4.0)), Err(Rejected::UnknownUnit)]);
    assert_eq!((audit.converted, audit.unknown_unit), (1, 1));
    let seen: Vec<_> = audit.units.iter().map(|(u, n)| (u.as_str(), *n)).collect();
    assert_eq!(seen, [("", 2), ("kg", 1), ("lb", 1), ("st", 1)]);
}

#[test]
fn pounds_under_a_null_unit_take_the_source_factor() {
    let v = variable(|v| v.range = Some((0.0, 400.0)));
    let t = target(|t| t.scale = 0.453_592_37);
    let (out, audit) = measure(&v, &t, &[(Some(200.0), None, None), (Some(200.0), None, Some("torr"))]);
    assert_eq!(out, [Ok(Value::Number(90.718_474)); 2]);
    assert_eq!(audit.converted, 2);
}

#[test]
fn a_pair_in_one_text_has_two_numbers() {
    let v = variable(|v| v.range = Some((20.0, 300.0)));
    let rows = ["120/80", " 95 / 60 ", "130", "1/2/3", "/80", "nan/inf"].map(|t| (None, Some(t), None));
    let (upper, _) = measure(&v, &target(|t| t.rule = Some(Rule::BeforeSlash)), &rows);
    let (lower, _) = measure(&v, &target(|t| t.rule = Some(Rule::AfterSlash)), &rows);
    let (is, no) = (|x| Ok(Value::Number(x)), Err(Rejected::NoNumber));
    assert_eq!(upper, [is(120.0), is(95.0), no, no, no, no]);
    assert_eq!(lower, [is(80.0), is(60.0), no, no, is(80.0), no]);
}

#[test]
fn a_row_that_is_present_counts_whatever_it_says() {
    let v = variable(|v| v.kind = Kind::Binary);
    let rows = [(None, None, None), (Some(3410.0), None, Some("min")), (None, Some("sent"), None)];
    let (out, _) = measure(&v, &target(|t| t.rule = Some(Rule::Present)), &rows);
    assert_eq!(out, [Ok(Value::Number(1.0)); 3]);
}

#[test]
fn mixed_fraction_follows_its_rule() {
    let v = variable(|v| v.range = Some((0.2, 1.0)));
    let t = target(|t| t.rule = Some(Rule::MixedFraction));
    let rows = [0.4, 40.0, 2.0, 190.0, 0.0, 21.0, 100.0].map(|x| (Some(x), None, Some("torr")));
    let (out, audit) = measure(&v, &t, &rows);
    let (below, above) = (Err(Rejected::Below), Err(Rejected::Above));
    let [a, b, c] = [0.4, 0.21, 1.0].map(|x| Ok(Value::Number(x)));
    assert_eq!(out, [a, a, below, above, below, b, c]);
    assert_eq!((audit.below_range, audit.above_range, audit.converted), (2, 1, 3));
}

#[test]
fn text_decides_where_there_is_a_value_map() {
    let v = variable(|v| v.value_map = vec![("None".into(), 1.0), ("To Speech".into(), 3.0)]);
    let rows = [
        (None, Some("None "), None),
        (Some(3.0), Some("3"), None),
        (Some(1.0), Some("1.0 ET/Trach"), None),
        (Some(3.0), None, None),
        (None, None, None),
        (Some(7.0), Some("7"), None),
    ];
    let (out, audit) = measure(&v, &target(|_| ()), &rows);
    let (one, three) = (Ok(Value::Number(1.0)), Ok(Value::Number(3.0)));
    let unmapped = Err(Rejected::UnmappedText);
    assert_eq!(out, [one, three, unmapped, three, Err(Rejected::NoNumber), unmapped]);
    assert_eq!(audit.not_a_number, 3);
}

#[test]
fn censored_results_are_half_their_limit_only_where_declared() {
    let rows =
        [(None, Some("<0.01"), None), (None, Some("LESS THAN 10"), None), (Some(5.0), Some("5"), None)];
    let (out, audit) = measure(&variable(|v| v.censored = true), &target(|_| ()), &rows);
    assert_eq!(out, [0.005, 5.0, 5.0].map(|x| Ok(Value::Number(x))));
    assert_eq!(audit.censored, 2);
    let (out, _) = measure(&variable(|_| ()), &target(|_| ()), &rows);
    assert_eq!(out[..2], [Err(Rejected::Censored); 2]);
    // A number beside such a text is its limit.
    let rows = [
        (Some(200.0), Some(">200"), None),
        (Some(0.5), Some("< 0.5"), None),
        (Some(7.0), Some("GLUC 7"), None),
    ];
    let (out, audit) = measure(&variable(|_| ()), &target(|_| ()), &rows);
    assert_eq!(out, [Err(Rejected::Censored), Err(Rejected::Censored), Ok(Value::Number(7.0))]);
    assert_eq!(audit.rejected["beyond the limit of measurement"], 2);
}

#[test]
fn implausible_and_missing_values_are_counted() {
    let v = variable(|v| {
        v.range = Some((10.0, 300.0));
        v.missing_codes = vec![-1.0];
    });
    let rows = [11_647.0, 9.9, -1.0, f64::NAN, 10.0, 300.0].map(|x| (Some(x), None, None));
    let (out, audit) = measure(&v, &target(|_| ()), &rows);
    assert_eq!(out.iter().filter(|o| o.is_ok()).count(), 2);
    assert_eq!((audit.above_range, audit.below_range, audit.not_a_number), (1, 1, 2));
}

#[test]
fn a_subtracted_source_is_plausible_by_its_size() {
    let v = variable(|v| v.range = Some((0.0, 5000.0)));
    let t = target(|t| t.scale = -1.0);
    let (out, _) = measure(&v, &t, &[(Some(300.0), None, None), (Some(9000.0), None, None)]);
    assert_eq!(out, [Ok(Value::Number(-300.0)), Err(Rejected::Above)]);
}

#[test]
fn levels_match_by_text_number_and_beginning() {
    let v = variable(|v| {
        v.kind = Kind::Categorical;
        v.levels = [("1", "coronary"), ("white*", "white"), ("*", "other")]
            .map(|(a, b)| (a.into(), b.into()))
            .to_vec();
    });
    let mut meter = Meter::new(&v);
    let mut level = |number, text| match meter.fact(number, text) {
        Ok(Value::Level(code)) => meter.levels[code as usize].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(level(Some(1.0), None), "coronary");
    assert_eq!(level(None, Some("1.0")), "coronary");
    assert_eq!(level(None, Some("01")), "other", "a code with a leading zero is no number");
    assert_eq!(level(None, Some("WHITE - RUSSIAN")), "white");
    assert_eq!(level(None, Some("unknown")), "other");
}
