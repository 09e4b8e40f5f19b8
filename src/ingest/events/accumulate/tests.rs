//! Folds of small series, with their values from elsewhere.

use super::*;

const ALL: Needs = Needs {
    sum: true,
    moments: true,
    min: true,
    max: true,
    first: true,
    last: true,
    values: true,
    slope: true,
    series: true,
    levels: false,
};

#[test]
fn aggregates_of_a_known_series() {
    let mut slot = Slot::new(ALL, 2);
    for (seconds, x) in [(60, 4.0), (0, 1.0), (0, 2.0), (120, 8.5), (120, 8.5)] {
        slot.add(0, seconds, Value::Number(x), &[]);
    }
    let value = |a| slot.value(0, a, (0, 7320));
    assert_eq!(value(Aggregation::First), Aggregate::Number(1.5), "tied values are averaged");
    assert_eq!(value(Aggregation::Last), Aggregate::Number(8.5));
    assert_eq!(value(Aggregation::Min), Aggregate::Number(1.0));
    assert_eq!(value(Aggregation::Max), Aggregate::Number(8.5));
    assert_eq!(value(Aggregation::Mean), Aggregate::Number(4.8));
    assert_eq!(value(Aggregation::Median), Aggregate::Number(4.0));
    assert_eq!(value(Aggregation::Sum), Aggregate::Number(24.0));
    assert_eq!(value(Aggregation::Count), Aggregate::Number(5.0));
    assert_eq!(value(Aggregation::TimeSinceLast), Aggregate::Number(2.0));
    // numpy.polyfit([0, 0, 60, 120, 120], [1, 2, 4, 8.5, 8.5], 1)[0] * 3600
    let Aggregate::Number(slope) = value(Aggregation::Slope) else { panic!() };
    assert!((slope - 210.0).abs() < 1e-9, "{slope}");
    assert_eq!(slot.series(0), [(0, 1.5), (60, 4.0), (120, 8.5)]);
    for aggregation in Aggregation::ALL {
        let empty = slot.value(1, aggregation, (0, 0));
        let expected =
            if aggregation == Aggregation::Count { Aggregate::Number(0.0) } else { Aggregate::Missing };
        assert_eq!(empty, expected, "{aggregation:?} of nothing");
    }
}

#[test]
fn deviation_needs_two_measurements() {
    let mut slot = Slot::new(ALL, 1);
    slot.add(0, 0, Value::Number(3.0), &[]);
    assert_eq!(slot.value(0, Aggregation::Std, (0, 0)), Aggregate::Missing);
    assert_eq!(slot.value(0, Aggregation::Slope, (0, 0)), Aggregate::Missing);
    slot.add(0, 0, Value::Number(5.0), &[]);
    assert_eq!(slot.value(0, Aggregation::Std, (0, 0)), Aggregate::Number(2f64.sqrt()));
}

#[test]
fn tied_levels_do_not_depend_on_their_order() {
    let levels = ["b".to_string(), "a".to_string()];
    for order in [[0, 1], [1, 0]] {
        let mut slot = Slot::new(Needs { levels: true, first: true, last: true, ..Needs::default() }, 1);
        for code in order {
            slot.add(0, 7, Value::Level(code), &levels);
        }
        assert_eq!(slot.value(0, Aggregation::Last, (0, 0)), Aggregate::Level(1));
        slot.add(0, 9, Value::Level(0), &levels);
        assert_eq!(slot.value(0, Aggregation::First, (0, 0)), Aggregate::Level(1));
        assert_eq!(slot.value(0, Aggregation::Last, (0, 0)), Aggregate::Level(0));
    }
}

#[test]
fn rejected_measurements_are_counted_and_change_no_aggregate() {
    let mut slot = Slot::new(ALL, 1);
    slot.add(0, 0, Value::Number(3.0), &[]);
    slot.reject(0, Some(60));
    slot.reject(0, None);
    assert_eq!((slot.count(0), slot.rejected(0), slot.rejected_times(0)), (1, 2, &[60][..]));
    assert_eq!(slot.value(0, Aggregation::Last, (0, 60)), Aggregate::Number(3.0));
    assert_eq!(slot.value(0, Aggregation::Sum, (0, 60)), Aggregate::Number(3.0));
}

#[test]
fn what_lasts_weighs_as_long_as_it_lasts() {
    let mut slot = Slot::new(Needs { series: true, ..Needs::default() }, 1);
    slot.add_lasting(0, (-3600, 3600), Value::Number(2.0), &[]);
    slot.add_lasting(0, (7200, 14_400), Value::Number(5.0), &[]);
    let value = |a| slot.value(0, a, (0, 10_800));
    assert_eq!(
        value(Aggregation::Integral),
        Aggregate::Number(2.0 + 5.0),
        "an hour of each lies in the window"
    );
    assert_eq!(value(Aggregation::TimeMean), Aggregate::Number(3.5));
    assert!(slot.series(0).is_empty() && slot.lasting(0).len() == 2);
}
