//! Expressions, their values and their problems.

use super::*;
use crate::schema::Aggregation;

fn value(text: &str, operands: &[Option<f64>]) -> Option<f64> {
    Expression::parse(text).unwrap().evaluate(&|i| operands[i].into(), 24.0).value()
}

#[test]
fn precedence_and_association_are_those_of_arithmetic() {
    for (text, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 - 4 - 2", 2.0),
        ("8 / 4 / 2", 1.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ -1", 0.5),
        ("2 * -3", -6.0),
        ("1e3 + 1.5e-1", 1000.15),
        ("min(3, 1, 2) + max(1, 5) + abs(-2)", 8.0),
        ("sqrt(16) + exp(0) + ln(1)", 5.0),
        ("hours / 2", 12.0),
    ] {
        assert_eq!(value(text, &[]), Some(expected), "{text}");
    }
}

#[test]
fn what_is_missing_makes_the_result_missing_but_in_coalesce() {
    assert_eq!(value("a + b", &[Some(1.0), None]), None);
    assert_eq!(value("coalesce(map, (sbp + 2 * dbp) / 3)", &[None, Some(120.0), Some(60.0)]), Some(80.0));
    assert_eq!(value("coalesce(map, sbp)", &[Some(70.0), None]), Some(70.0));
    assert_eq!(value("a / b", &[Some(1.0), Some(0.0)]), None, "not finite");
    assert_eq!(value("ln(a)", &[Some(-1.0)]), None);
}

#[test]
fn operands_are_named_once_with_their_aggregation() {
    let parsed = Expression::parse("urine:sum / weight:first / hours + weight:first-2").unwrap();
    let names: Vec<_> = parsed.operands.iter().map(|o| (o.variable.as_str(), o.aggregation)).collect();
    assert_eq!(names, [("urine", Some(Aggregation::Sum)), ("weight", Some(Aggregation::First))]);
    assert!(parsed.is_single());
    assert!(!Expression::parse("heart_rate / sbp").unwrap().is_single());
    let since = Expression::parse("lactate:time-since-last - 1").unwrap();
    assert_eq!(since.operands[0].aggregation, Some(Aggregation::TimeSinceLast));
}

#[test]
fn problems_are_told_with_their_place() {
    for (text, at, message) in [
        ("", 0, "the expression breaks off"),
        ("a +", 3, "the expression breaks off"),
        ("a + * b", 4, "`*` where a variable, a number or `(` has to be"),
        ("(a", 2, "`)` is missing"),
        ("a b", 2, "`b` cannot stand here"),
        ("a:maen", 2, "unknown aggregation `maen`"),
        ("squrt(a)", 0, "unknown function `squrt`"),
        ("min(a)", 0, "`min` takes 2 arguments or more, found 1"),
        ("1.2.3", 0, "`1.2.3` is not a number"),
        ("é", 0, "`é` where a variable, a number or `(` has to be"),
    ] {
        let problems = Expression::parse(text).unwrap_err();
        assert_eq!((problems[0].at, problems[0].message.as_str()), (at, message), "{text}");
    }
    let all = Expression::parse("squrt(a:maen)").unwrap_err();
    assert_eq!(all.len(), 2, "{all:?}");
    let deep = format!("{}1{}", "(".repeat(900), ")".repeat(900));
    assert!(Expression::parse(&deep).is_err());
    assert!(Expression::parse(&"1+".repeat(10_000)).is_err());
}

#[test]
fn a_constant_stands_in_for_what_is_absent_and_not_for_what_was_rejected() {
    let of = |text: &str, known: &[Known]| Expression::parse(text).unwrap().evaluate(&|i| known[i], 24.0);
    let (absent, rejected, two) = (Known::Absent, Known::Rejected, Known::Value(2.0));
    assert_eq!(of("coalesce(rate:max, 0)", &[absent]), Known::Value(0.0));
    assert_eq!(of("coalesce(rate:max, 0)", &[rejected]), Known::Rejected);
    assert_eq!(of("coalesce(rate:max, -0.5 * hours)", &[rejected]), Known::Rejected);
    assert_eq!(of("coalesce(map, sbp)", &[rejected, two]), two, "another measurement may stand in");
    assert_eq!(of("coalesce(a, b, 1) + 1", &[absent, rejected]), Known::Rejected);
    assert_eq!(of("a + b", &[absent, rejected]), Known::Rejected);
    assert_eq!(of("a + b", &[absent, two]), Known::Absent);
    assert_eq!(of("a / b", &[two, Known::Value(0.0)]), Known::Rejected, "not finite");
    assert_eq!(of("coalesce(a / b, 0)", &[two, Known::Value(0.0)]), Known::Rejected);
}

#[test]
fn tables_of_points_begin_at_their_bounds_or_above_them() {
    let of = |text: &str, x: f64| value(text, &[Some(x)]);
    for (x, at, above) in
        [(19.0, 4.0, 4.0), (20.0, 3.0, 4.0), (49.9, 3.0, 3.0), (50.0, 0.0, 3.0), (51.0, 0.0, 0.0)]
    {
        assert_eq!(of("steps(a, 4, 20, 3, 50, 0)", x), Some(at), "{x}");
        assert_eq!(of("steps_above(a, 4, 20, 3, 50, 0)", x), Some(above), "{x}");
    }
    assert_eq!(of("steps(a, 1, -2, 0)", -3.0), Some(1.0));
    assert_eq!(value("steps(a, 4, 20, 3)", &[None]), None);
    for (text, message) in [
        ("steps(a, 1, b, 2)", "the bounds and values of a table are numbers"),
        ("steps(a, 1, 2, 3, 4)", "a table has a value before its first bound and one behind each"),
        ("steps(a, 1, 20, 2, 10, 3)", "the bounds of a table ascend"),
        ("lowest(a)", "what is made of the past takes the name of a variable and hours above 0"),
        ("total(a, -2)", "what is made of the past takes the name of a variable and hours above 0"),
    ] {
        assert_eq!(Expression::parse(text).unwrap_err()[0].message, message, "{text}");
    }
}

#[test]
fn the_pipeline_says_what_an_absent_part_means() {
    let of = |normal: bool, known: Known| {
        Expression::parse("part(a) + 1").unwrap().with_parts(normal).evaluate(&|_| known, 24.0)
    };
    assert_eq!((of(true, Known::Absent), of(false, Known::Absent)), (Known::Value(1.0), Known::Absent));
    assert_eq!((of(true, Known::Rejected), of(false, Known::Rejected)), (Known::Rejected, Known::Rejected));
    assert_eq!(of(true, Known::Value(2.0)), Known::Value(3.0));
    assert_eq!(value("where(15, a)", &[Some(1.0)]), Some(15.0));
    let unless = Expression::parse("coalesce(where(15, a), b)").unwrap();
    assert_eq!(unless.evaluate(&|i| [Known::Value(0.0), Known::Value(7.0)][i], 1.0), Known::Value(7.0));
}

#[test]
fn an_alternative_may_lack_as_long_as_one_is_left() {
    let possible = |text: &str, here: &[bool]| Expression::parse(text).unwrap().is_possible(&|i| here[i]);
    assert!(possible("coalesce(a, b)", &[false, true]));
    assert!(!possible("coalesce(a, 0)", &[false]), "a constant alone is no measurement");
    assert!(!possible("a + coalesce(b, c)", &[false, true, true]));
    assert!(!possible("part(a) + part(b)", &[true, false]));
}

#[test]
fn the_past_and_the_hours_that_have_passed() {
    let parsed = Expression::parse("lowest(a, 48) + a + lowest(a, 48) + elapsed").unwrap();
    let past: Vec<_> = parsed.operands.iter().map(|o| o.past.map(|p| (p.fold, p.hours))).collect();
    assert_eq!(past, [Some((Fold::Lowest, 48.0)), None]);
    assert!(!parsed.is_single());
    assert_eq!(parsed.evaluate_at(&|_| Known::Value(1.0), 24.0, 5.0), Known::Value(8.0));
}
