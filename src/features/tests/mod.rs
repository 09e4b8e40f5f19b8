//! The encoder and the bundle on a table with every kind of column.

mod bundle;
mod encoder;
mod rare;
mod real;

use rand::RngExt;

use super::*;
use crate::ingest::{Audit, Cells, Column, Names, RecordTable, Subjects, Texts};
use crate::num::packed::Numbers;
use crate::num::special::normal_quantile;
use crate::random::Seed;
use crate::schema::{Kind, Pipeline, Split, SplitFractions, TransformKind, Window};

fn pipeline(transform: TransformKind, dequantize: bool) -> Pipeline {
    Pipeline {
        name: "test".into(),
        title: "Test".into(),
        schema: String::new(),
        labels: Vec::new(),
        missing_parts: crate::schema::MissingParts::Normal,
        left_out: Vec::new(),
        episodes: false,
        rules: Vec::new(),
        window: Window { end_hours: 24.0, until_end: true, ..Window::default() },
        features: Vec::new(),
        wide: None,
        waveform: None,
        grid: None,
        transform,
        dequantize,
        min_observed: 0.02,
        min_level_patients: 1,
        split: SplitFractions::default(),
        seed: 11,
    }
}

fn column(name: &str, kind: Kind, resolution: Option<f64>, cells: Cells) -> Column {
    Column {
        name: name.into(),
        label: name.to_uppercase(),
        group: "test".into(),
        unit: "u".into(),
        kind,
        resolution,
        range: None,
        spelling: crate::ingest::Spelling::undeclared(),
        cells,
    }
}

/// Every kind of column, missing values, a constant, an empty one and one that is hardly ever measured.
fn table(n: usize) -> RecordTable {
    let mut rng = Seed(5).stream("table", 0);
    let mut number = |f: &mut dyn FnMut(f64, f64) -> f64| -> Cells {
        Cells::Number(
            (0..n).map(|_| f(normal_quantile(rng.random::<f64>().max(1e-12)), rng.random())).collect(),
        )
    };
    let lactate = number(&mut |z, u| if u < 0.4 { f64::NAN } else { (0.5 * z).exp() * 2.0 });
    let Cells::Number(l) = &lactate else { unreachable!() };
    // Measured together with lactate.
    let ph = Cells::Number(l.iter().map(|l| if l.is_nan() { f64::NAN } else { 7.4 - 0.03 * l }).collect());
    let columns = vec![
        column(
            "temperature",
            Kind::Continuous,
            Some(0.1),
            number(&mut |z, _| ((37.0 + 0.8 * z) * 10.0).round() / 10.0),
        ),
        column(
            "heart_rate",
            Kind::Continuous,
            None,
            number(&mut |z, u| {
                if u < 0.05 { f64::NAN } else { (85.0 + 15.0 * z).round() }
            }),
        ),
        column("lactate", Kind::Continuous, None, lactate),
        column("ph", Kind::Continuous, None, ph),
        column(
            "urine",
            Kind::Continuous,
            None,
            number(&mut |z, u| if u < 0.3 { 0.0 } else { 800.0 * (0.7 * z).exp() }),
        ),
        column("gcs", Kind::Ordinal, None, number(&mut |z, _| (12.0 + 2.0 * z).round().clamp(3.0, 15.0))),
        column("ventilated", Kind::Binary, None, number(&mut |_, u| f64::from(u8::from(u < 0.3)))),
        column("doses", Kind::Count, None, number(&mut |_, u| (-30.0 * (1.0 - u).ln()).floor())),
        column(
            "unit_type",
            Kind::Categorical,
            None,
            Cells::Text(
                (0..n)
                    .map(|i| match i % 7 {
                        0 => None,
                        1..=3 => Some("MICU"),
                        4 | 5 => Some("SICU"),
                        _ => Some("CCU"),
                    })
                    .collect(),
            ),
        ),
        column("constant", Kind::Continuous, None, Cells::Number(vec![4.25; n].into())),
        column("empty", Kind::Continuous, None, Cells::Number(vec![f64::NAN; n].into())),
        column(
            "rare",
            Kind::Continuous,
            None,
            Cells::Number((0..n).map(|i| if i % 100 == 0 { i as f64 } else { f64::NAN }).collect()),
        ),
        column("no_text", Kind::Categorical, None, Cells::Text(vec![None::<String>; n].into())),
    ];
    RecordTable {
        record_ids: (0..n).map(|i| format!("r{i}")).collect(),
        // Two records a subject.
        subjects: Subjects::Named((0..n).map(|i| Some(format!("s{}", i / 2))).collect()),
        splits: None,
        columns,
        labels: Vec::new(),
        audit: Audit::default(),
    }
}

/// Puts another number into a column.
fn replace(column: &mut Numbers, row: usize, x: f64) {
    *column = column.iter().enumerate().map(|(i, old)| if i == row { x } else { old }).collect();
}

/// Puts another text into a column.
fn replace_text(column: &mut Texts, row: usize, text: &str) {
    *column = column.iter().enumerate().map(|(i, old)| if i == row { Some(text) } else { old }).collect();
}

fn bundle(n: usize, transform: TransformKind) -> Bundle {
    Bundle::build(&table(n), None, &pipeline(transform, true)).unwrap()
}

const TRANSFORMS: [TransformKind; 5] = [
    TransformKind::NormalScore,
    TransformKind::Standardize,
    TransformKind::Robust,
    TransformKind::LogStandardize,
    TransformKind::None,
];
