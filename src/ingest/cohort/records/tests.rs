use super::*;
use crate::schema::Window;

const HOUR: i64 = 3600;

fn records() -> Records {
    let mut r = Records::default();
    // Subject 1: stays 10 (0 h–10 h) and 11 (20 h–30 h); subject 2: stay 12 without end.
    r.push(Key::Number(10), Some(Key::Number(1)), Some(0), Some(10 * HOUR));
    r.push(Key::Number(11), Some(Key::Number(1)), Some(20 * HOUR), Some(30 * HOUR));
    r.push(Key::Number(12), Some(Key::Number(2)), Some(5 * HOUR), None);
    r
}

fn window(start: f64, end: f64, until_end: bool) -> Reach {
    Reach::new(&Window { start_hours: start, end_hours: end, until_end, ..Window::default() }, 0)
}

#[test]
fn events_go_to_the_stay_of_their_time() {
    let r = records();
    let w = window(-6.0, 24.0, true);
    let assign = |subject, hour: i64| r.assign(Key::Number(subject), Moment::At(hour * HOUR), w);
    assert_eq!(assign(1, 3), Ok(0));
    assert_eq!(assign(1, 25), Ok(1));
    assert_eq!(assign(1, 15), Ok(1), "five hours before the second stay");
    assert_eq!(assign(1, 12), Err(Misplaced::OutsideStays));
    assert_eq!(assign(2, 500), Ok(2), "a stay without end");
    assert_eq!(assign(3, 3), Err(Misplaced::NoSuchRecord));
    let open = window(0.0, 24.0, false);
    assert_eq!(
        r.assign(Key::Number(1), Moment::At(12 * HOUR), open),
        Ok(0),
        "after the end, inside the window"
    );
}

#[test]
fn window_holds_its_start_and_not_its_end() {
    let r = records();
    let w = window(0.0, 8.0, true);
    let place = |record, seconds| r.place(record, Moment::At(seconds), w);
    assert_eq!(place(0, 0), Ok(0));
    assert_eq!(place(0, -1), Err(Misplaced::Before));
    assert_eq!(place(0, 8 * HOUR - 1), Ok(8 * HOUR - 1));
    assert_eq!(place(0, 8 * HOUR), Err(Misplaced::After));
    assert_eq!(r.place(0, Moment::At(11 * HOUR), window(0.0, 24.0, true)), Err(Misplaced::AfterEnd));
    assert_eq!(r.place(0, Moment::At(11 * HOUR), window(0.0, 24.0, false)), Ok(11 * HOUR));
}

#[test]
fn a_row_of_another_subject_is_not_of_the_record() {
    let mut r = records();
    r.push(Key::Number(13), None, Some(0), None);
    let belongs = |record, subject| r.belongs(record, subject);
    assert!(belongs(0, Some(Key::Text("1"))) && belongs(0, None));
    assert!(!belongs(0, Some(Key::Number(2))) && !belongs(0, Some(Key::Number(99))));
    assert!(belongs(3, Some(Key::Number(2))), "nobody is known to have the record");
}

#[test]
fn the_subject_of_a_long_record_does_not_depend_on_the_order_of_its_rows() {
    let rows = [None, Some(Key::Text("7")), Some(Key::Text("5"))];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        let mut r = Records::default();
        for i in order {
            r.meet(Key::Number(3), rows[i]);
        }
        assert_eq!((r.subject(0), r.contradicted.len()), ("5", 1), "{order:?}");
    }
    let mut r = Records::default();
    for subject in [None, Some(Key::Text("7"))] {
        r.meet(Key::Number(3), subject);
    }
    assert_eq!((r.subject(0), r.contradicted.len()), ("7", 0));
}

#[test]
fn text_and_number_name_the_same_record() {
    let mut r = records();
    assert_eq!(r.ids.get(Key::Text("11")), Some(1));
    assert_eq!(r.ids.get(Key::Text("011")), None, "a code with a leading zero is another");
    assert_eq!(r.meet(Key::Text("10"), None), 0);
    assert_eq!(r.meet(Key::Text("2x"), None), 3);
    assert_eq!(r.sorted(), [0, 1, 2, 3]);
}
