use super::*;
use crate::features::Bundle;
use crate::ingest::{Audit, Cells, Column, RecordTable, Spelling, Subjects};
use crate::random::Seed;
use crate::schema::{Kind, Split, load_pipeline};
use ndarray::{Array2, Axis, array};
use rand::RngExt;

fn column(name: &str, kind: Kind, cells: Cells) -> Column {
    Column {
        name: name.into(),
        label: name.into(),
        group: String::new(),
        unit: String::new(),
        kind,
        resolution: None,
        range: None,
        spelling: Spelling::undeclared(),
        cells,
    }
}

fn bundle(columns: Vec<Column>, n: usize) -> Bundle {
    let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    let audit = Audit::default();
    let table = RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: None,
        columns,
        labels: Vec::new(),
        audit,
    };
    Bundle::build(&table, None, &load_pipeline("wide-table").unwrap().0).unwrap()
}

/// Two numbers and a text of two levels, which is the second number written out.
fn records(n: usize) -> Bundle {
    let mut rng = Seed(5).stream("records", 0);
    let x: Vec<f64> = (0..n).map(|_| rng.random::<f64>() * 10.0).collect();
    let bit: Vec<f64> = (0..n).map(|_| f64::from(u8::from(rng.random::<f64>() < 0.3))).collect();
    let text = bit.iter().map(|b| Some(if *b > 0.0 { "yes" } else { "no" }.to_owned())).collect();
    let columns = vec![
        column("x", Kind::Continuous, Cells::Number(x.into())),
        column("bit", Kind::Binary, Cells::Number(bit.into())),
        column("word", Kind::Categorical, Cells::Text(text)),
    ];
    bundle(columns, n)
}

fn fit(bundle: &Bundle) -> Landmarks {
    Landmarks::fit(&bundle.manifest.encoder, bundle.raw_of(Split::Train).view()).unwrap()
}

#[test]
fn groups_part_the_rows_and_keep_neighbours_together() {
    // Two clouds of seven: no group is of both, although each has two rows too many for one of five.
    let rows: Vec<Vec<f32>> = (0..14).map(|i| vec![if i % 2 == 0 { 0.0 } else { 50.0 } + i as f32]).collect();
    let groups = groups(&rows);
    let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..14).collect::<Vec<_>>());
    assert!(groups.iter().all(|g| g.len() >= GROUP), "{groups:?}");
    assert_eq!(groups[0].iter().map(|i| i % 2).sum::<usize>() % GROUP, 0, "{groups:?}");
}

#[test]
fn a_distance_is_the_mean_to_the_two_nearest_landmarks() {
    let axis = |column| Coordinate::Number { column, center: 1.0, spread: 2.0 };
    let landmarks = Landmarks {
        columns: 2,
        coordinates: vec![axis(0), axis(1)],
        typical: vec![0.25, 0.5],
        n: 3,
        values: vec![0.0, 1.0, 10.0, 0.0, -1.0, 10.0],
    };
    // z = (1, 0): 1 from the first and 1 from the second landmark; halved, for two columns.
    assert_eq!(landmarks.distance(array![3.0, 1.0].view()), 0.5);
    // Without the second value: 1 and 0 by the first, and what is typical of the second.
    assert_eq!(landmarks.distance(array![3.0, f64::NAN].view()), 0.5);
    assert_eq!(landmarks.distance(array![f64::NAN, f64::NAN].view()), 0.375);
    assert!(landmarks.distance(array![1e308, f64::NEG_INFINITY].view()).is_finite());
}

#[test]
fn blocks_of_landmarks_give_the_plain_sums() {
    let landmarks = fit(&records(700));
    assert!(landmarks.n > LANES && !landmarks.n.is_multiple_of(LANES), "{}", landmarks.n);
    let place: Vec<Option<f32>> = (0..landmarks.coordinates.len()).map(|j| Some(0.3 * j as f32)).collect();
    let mut plain: Vec<(f32, usize)> = (0..landmarks.n)
        .map(|k| {
            let terms = place.iter().enumerate();
            let sum = terms
                .fold(0.0, |sum, (j, z)| sum + (z.unwrap() - landmarks.values[j * landmarks.n + k]).abs());
            (sum, k)
        })
        .collect();
    plain.sort_by(nearer);
    assert_eq!(landmarks.nearest(&place), plain[..NEAREST]);
}

#[test]
fn a_text_of_two_levels_counts_as_the_number_it_stands_for() {
    let bundle = records(400);
    let train = bundle.raw_of(Split::Train);
    let of = |kept: [usize; 2]| {
        let mut encoder = bundle.manifest.encoder.clone();
        encoder.columns = kept.map(|j| encoder.columns[j].clone()).into();
        Landmarks::fit(&encoder, train.select(Axis(1), &kept).view()).unwrap()
    };
    let (number, text) = (of([0, 1]), of([0, 2]));
    for i in 0..train.nrows() {
        let (a, b) = (
            number.distance(array![train[[i, 0]], train[[i, 1]]].view()),
            text.distance(array![train[[i, 0]], train[[i, 2]]].view()),
        );
        assert!((a - b).abs() < 1e-3 * (1.0 + a), "{i}: {a} {b}");
    }
    // A level that was not met lies as far from every landmark as a column can.
    let unseen = text.distance(array![5.0, 2.0].view());
    assert!(unseen > text.distance(array![5.0, 0.0].view()) && unseen > 0.9, "{unseen}");
}

#[test]
fn no_landmark_is_a_record_and_the_lonely_are_far() {
    let n = 300;
    let mut rng = Seed(6).stream("records", 0);
    let x: Array2<f64> = Array2::from_shape_fn((n, 2), |_| rng.random::<f64>());
    let numbers = |j: usize| Cells::Number(x.column(j).to_vec().into());
    let columns = vec![column("a", Kind::Continuous, numbers(0)), column("b", Kind::Continuous, numbers(1))];
    let bundle = bundle(columns, n);
    let landmarks = fit(&bundle);
    let train = bundle.raw_of(Split::Train);
    assert!(landmarks.n <= train.nrows() / GROUP);
    for row in train.rows() {
        let place: Vec<f32> = landmarks.coordinates.iter().map(|c| c.of(row).unwrap()).collect();
        let same = |k: usize| (0..2).all(|j| (landmarks.values[j * landmarks.n + k] - place[j]).abs() < 1e-6);
        assert!(!(0..landmarks.n).any(same));
    }
    let far = landmarks.distance(array![3.0, -2.0].view());
    assert!(train.rows().into_iter().all(|row| landmarks.distance(row) < far / 3.0));
}

#[test]
fn too_few_records_or_nothing_that_varies_make_no_landmarks() {
    let bundle = records(60);
    let train = bundle.raw_of(Split::Train);
    let few = train.select(Axis(0), &[0, 1, 2, 3]);
    assert_eq!(Landmarks::fit(&bundle.manifest.encoder, few.view()), None);
}
