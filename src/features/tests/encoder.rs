//! Records to vectors and back.

use ndarray::{Array2, Axis};
use rand::Rng;

use super::*;
use crate::features::DrawsBy;
use crate::num::moments::{mean, variance};
use crate::num::special::{normal_log_pdf, normal_quantile};

#[test]
fn decoding_gives_back_what_was_encoded() {
    for transform in TRANSFORMS {
        let b = bundle(1_500, transform);
        let encoder = &b.manifest.encoder;
        let encoded = encoder.encode(b.raw.view(), Seed(3), 2);
        assert_eq!(encoded.values.dim(), (1_500, encoder.n_coordinates()));
        assert!(
            encoded.values.iter().chain(&encoded.log_det).chain(&encoded.log_noise).all(|x| x.is_finite())
        );
        let back = encoder.decode(encoded.values.view());
        for ((i, j), &x) in b.raw.indexed_iter() {
            let (y, fitted) = (back[[i, j]], &encoder.columns[j]);
            if x.is_nan() && fitted.indicator.is_some() {
                assert!(y.is_nan(), "{transform:?} {}: {y}", fitted.meta.name);
            } else if !x.is_nan() {
                let exact =
                    !matches!(fitted.noise, Noise::None) || matches!(fitted.transform, Transform::Levels(_));
                // Without resolution the digits of Φ limit it; point masses share their columns with such
                // values.
                let slack = if exact && x == x.round() { 0.0 } else { 1e-6 * x.abs() };
                // A test value may fall into the box of a training point mass.
                let near_atom =
                    matches!(&fitted.noise, Noise::Atoms { atoms } if atoms.iter().any(|a| a.value == y));
                assert!((y - x).abs() <= slack || near_atom, "{transform:?} {}: {x} {y}", fitted.meta.name);
            }
        }
    }
}

#[test]
fn log_det_is_that_of_the_map() {
    for transform in TRANSFORMS {
        let b = bundle(600, transform);
        for fitted in
            b.manifest.encoder.columns.iter().filter(|c| !matches!(c.transform, Transform::Levels(_)))
        {
            for p in [0.03, 0.2, 0.51, 0.77, 0.98] {
                let x = fitted.min + p * (fitted.max - fitted.min) + 0.017;
                let (v, log) = fitted.transform.forward(x);
                let e = 1e-6 * x.abs().max(1.0);
                let numeric =
                    (fitted.transform.forward(x + e).0 - fitted.transform.forward(x - e).0) / (2.0 * e);
                assert!((numeric.ln() - log).abs() < 1e-3, "{transform:?} {} {v}", fitted.meta.name);
            }
        }
        // The sum over a record is that of its columns at its noise: recovered from the coordinates
        // themselves.
        let encoder = &b.manifest.encoder;
        let e = encoder.encode(b.raw.view(), Seed(1), 0);
        for i in 0..50 {
            let (mut det, mut noise) = (0.0, 0.0);
            for (j, c) in encoder.columns.iter().enumerate() {
                let v = e.values[[i, j]];
                if b.raw[[i, j]].is_nan() {
                    noise += normal_log_pdf(v);
                } else if let Some(log_prob) = c.log_apart(b.raw[[i, j]]) {
                    noise += normal_log_pdf(v) - log_prob;
                } else {
                    det += c.transform.forward(c.transform.inverse(v)).1;
                }
            }
            for (k, ind) in encoder.indicators.iter().enumerate() {
                let y = ind.levels.inverse(e.values[[i, encoder.n_features() + k]]);
                det += ind.levels.forward(y).1;
            }
            assert!((det - e.log_det[i]).abs() < 1e-5, "{transform:?} {det} {}", e.log_det[i]);
            noise -= encoder.log_prob_states(|c| b.raw[[i, c]]);
            assert!((noise - e.log_noise[i]).abs() < 1e-12);
        }
    }
}

#[test]
fn discrete_records_under_independent_normals_have_their_log_frequencies() {
    let mut t = table(900);
    t.columns.retain(|c| ["gcs", "ventilated", "unit_type"].contains(&c.name.as_str()));
    let b = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let encoder = &b.manifest.encoder;
    assert_eq!(encoder.coordinate_names(), ["gcs", "ventilated", "unit_type", "unit_type missing"]);
    let e = encoder.encode(b.raw.view(), Seed(9), 4);
    for i in 0..900 {
        let normal: f64 = e.values.row(i).iter().map(|&v| normal_log_pdf(v)).sum();
        let bound = normal + e.log_det[i] - e.log_noise[i];
        let mut expected = 0.0;
        for (j, c) in encoder.columns.iter().enumerate() {
            let Transform::Levels(l) = &c.transform else { panic!("{} has no levels", c.meta.name) };
            let x = b.raw[[i, j]];
            if !x.is_nan() {
                expected += l.apart(x).map_or_else(|| l.log_prob[l.cell(x)], |a| a.log_prob);
            }
        }
        expected += encoder.indicators[0].levels.log_prob[usize::from(b.raw[[i, 2]].is_nan())];
        assert!((bound - expected).abs() < 1e-12, "row {i}: {bound} {expected}");
    }
}

#[test]
fn normal_scores_of_the_training_rows_are_standard_normal() {
    let b = bundle(4_000, TransformKind::NormalScore);
    let e = b.stored_draw();
    for (j, name) in b.manifest.encoder.coordinate_names().iter().enumerate() {
        let v: Vec<f64> = b.rows(Split::Train).into_iter().map(|i| e.values[[i, j]]).collect();
        let (center, spread) = (mean(&v), variance(&v));
        assert!(center.abs() < 0.08 && (spread - 1.0).abs() < 0.1, "{name}: {center} {spread}");
    }
}

#[test]
fn columns_that_say_nothing_are_named_in_the_audit() {
    let b = bundle(2_000, TransformKind::NormalScore);
    let names: Vec<&str> = b.manifest.encoder.columns.iter().map(|c| c.meta.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "temperature",
            "heart_rate",
            "lactate",
            "ph",
            "urine",
            "gcs",
            "ventilated",
            "doses",
            "unit_type",
            "constant"
        ]
    );
    for name in ["empty", "rare", "no_text", "constant"] {
        let told = b.audit.messages.iter().filter(|w| w.text.contains(&format!("`{name}`"))).count();
        assert_eq!(told, 1, "{name}: {:?}", b.audit.messages);
    }
    // A value the constant column never had lies far out.
    let constant = &b.manifest.encoder.columns[9];
    assert!(constant.encode(4.25, 0.5).0.abs() < 0.1 && constant.encode(9.0, 0.5).0 > 5.0);
    let mut only_empty = table(200);
    only_empty.columns.retain(|c| c.name == "empty");
    let error = Bundle::build(&only_empty, None, &pipeline(TransformKind::None, true)).unwrap_err();
    assert!(matches!(error, FeatureError::NoFeatures { left_out } if left_out[0].contains("`empty`")));
}

#[test]
fn features_missing_together_share_an_indicator() {
    let b = bundle(2_000, TransformKind::NormalScore);
    let encoder = &b.manifest.encoder;
    let shared: Vec<&[usize]> = encoder.indicators.iter().map(|i| i.columns.as_slice()).collect();
    assert_eq!(shared, [&[1][..], &[2, 3], &[8]]);
    assert!(encoder.coordinate_names().contains(&"lactate and 1 more missing".to_owned()));
    let missing = encoder.columns[2].missing_fraction;
    assert!((missing - 0.4).abs() < 0.05 && encoder.columns[0].indicator.is_none(), "{missing}");
}

#[test]
fn untouched_numbers_have_no_log_det() {
    let mut t = table(400);
    t.columns.retain(|c| ["temperature", "gcs", "doses", "urine"].contains(&c.name.as_str()));
    let b = Bundle::build(&t, None, &pipeline(TransformKind::None, false)).unwrap();
    let e = b.stored_draw();
    assert_eq!(e.values, b.raw);
    assert!(e.log_det.iter().chain(&e.log_noise).all(|x| *x == 0.0));
    assert!(b.audit.messages.iter().any(|w| w.text.contains("`gcs`") && w.text.contains("no upper bound")));
}

#[test]
fn noise_is_the_records_own_whatever_its_row_the_other_rows_and_the_threads() {
    let b = bundle(1_200, TransformKind::NormalScore);
    let encoder = &b.manifest.encoder;
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| encoder.encode(b.raw.view(), Seed(4), 7))
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_ne!(one.values, encoder.encode(b.raw.view(), Seed(4), 8).values);
    assert_ne!(one.values, encoder.encode(b.raw.view(), Seed(5), 7).values);
    // In another order, with other records between them, one of them twice.
    let order: Vec<usize> = (0..1_200).rev().filter(|i| i % 3 != 1).chain([5]).collect();
    let part = encoder.encode(b.raw.select(Axis(0), &order).view(), Seed(4), 7);
    for (row, &i) in order.iter().enumerate() {
        assert_eq!(part.values.row(row), one.values.row(i));
        assert_eq!((part.log_det[row], part.log_noise[row]), (one.log_det[i], one.log_noise[i]));
    }
    let nothing = encoder.encode(Array2::zeros((0, encoder.n_features())).view(), Seed(4), 7);
    assert_eq!(nothing.values.dim(), (0, encoder.n_coordinates()));
}

#[test]
fn stratified_draws_of_a_record_are_its_own_and_one_is_enough_without_noise() {
    let b = bundle(700, TransformKind::NormalScore);
    let encoder = &b.manifest.encoder;
    let all = encoder.encode_draws(b.raw.view(), 8, Seed(4));
    assert_eq!(all.begins, (0..=700).map(|i| 8 * i).collect::<Vec<_>>());
    let some = encoder.encode_draws(b.raw.select(Axis(0), &[431, 3]).view(), 8, Seed(4));
    for s in 0..8 {
        assert_eq!(some.encoded.values.row(s), all.encoded.values.row(8 * 431 + s));
        assert_eq!(some.encoded.values.row(8 + s), all.encoded.values.row(8 * 3 + s));
    }
    let mut t = table(400);
    t.columns.retain(|c| c.name == "temperature");
    let plain = Bundle::build(&t, None, &pipeline(TransformKind::Standardize, false)).unwrap();
    assert_eq!(plain.manifest.encoder.encode_draws(plain.raw.view(), 8, Seed(4)).begins.len(), 401);
    assert_eq!(plain.manifest.encoder.encode_draws(plain.raw.view(), 8, Seed(4)).begins[400], 400);
}

#[test]
fn fixed_draws_are_the_same_for_every_record() {
    let b = bundle(300, TransformKind::NormalScore);
    let encoder = &b.manifest.encoder;
    let u = encoder.fixed_uniforms(4, Seed(4));
    let all = encoder.encode_draws_by(DrawsBy::Fixed, b.raw.view(), 4, Seed(4));
    let mut missing = 0;
    for (i, row) in b.raw.rows().into_iter().enumerate() {
        for (j, _) in row.iter().enumerate().filter(|(_, x)| x.is_nan()) {
            for s in 0..4 {
                assert_eq!(all.encoded.values[(all.begins[i] + s, j)], normal_quantile(u[(s, j)]));
            }
            missing += 1;
        }
    }
    assert!(missing > 20, "{missing}");
    let one = encoder.encode_draws_by(DrawsBy::Fixed, b.raw.select(Axis(0), &[77]).view(), 4, Seed(4));
    assert_eq!(one.encoded.values.row(2), all.encoded.values.row(all.begins[77] + 2));
}

#[test]
fn copies_of_a_record_differ_in_the_stored_tensor_and_not_in_a_score() {
    let mut t = table(300);
    for c in &mut t.columns {
        match &mut c.cells {
            Cells::Number(x) => {
                *x = (0..300).map(|i| x.get(if i < 200 { i } else { 0 })).collect();
            }
            Cells::Text(x) => {
                *x = (0..300).map(|i| x.get(if i < 200 { i } else { 0 })).collect();
            }
        }
    }
    let b = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let (stored, scored) = (b.stored_draw(), b.manifest.encoder.encode(b.raw.view(), Seed(1), 0));
    assert!((201..300).all(|i| stored.values.row(i) != stored.values.row(200)));
    assert!((200..300).all(|i| scored.values.row(i) == scored.values.row(0)));
}

#[test]
fn a_new_table_is_matched_by_name() {
    let b = bundle(500, TransformKind::NormalScore);
    let encoder = &b.manifest.encoder;
    let mut t = table(500);
    t.columns.reverse();
    assert!(encoder.raw(&t).unwrap().iter().zip(&b.raw).all(|(a, b)| a.to_bits() == b.to_bits()));
    let Cells::Text(units) = &mut t.columns.iter_mut().find(|c| c.name == "unit_type").unwrap().cells else {
        unreachable!()
    };
    replace_text(units, 3, "NICU");
    let raw = encoder.raw(&t).unwrap();
    assert_eq!(raw[[3, 8]], 3.0);
    assert_eq!(encoder.unseen(raw.view()), [("unit_type".to_owned(), 1)]);
    assert_eq!((encoder.level_name(8, 0.0), encoder.level_name(8, 3.0)), (Some("MICU"), None));
    // A level never met says nothing of the others: its coordinate is noise, its probability half a count.
    let Transform::Levels(levels) = &encoder.columns[8].transform else { panic!("levels") };
    let expected = levels.other.unwrap().log_prob;
    assert_eq!(encoder.columns[8].log_apart(3.0), Some(expected));
    let cell = encoder.columns[8].cell(3.0, 0.3);
    assert!(
        (cell.v - normal_quantile(0.3)).abs() < 1e-12
            && (normal_log_pdf(cell.v) - cell.log_noise - expected).abs() < 1e-12
    );
    // Numbers that arrive as text are read, other text is not.
    t.columns.iter_mut().find(|c| c.name == "gcs").unwrap().cells =
        Cells::Text(vec![Some(" 14"); 500].into());
    assert_eq!(encoder.raw(&t).unwrap()[[0, 5]], 14.0);
    let Cells::Text(gcs) = &mut t.columns.iter_mut().find(|c| c.name == "gcs").unwrap().cells else {
        unreachable!()
    };
    replace_text(gcs, 6, "alert");
    let error = encoder.raw(&t).unwrap_err();
    assert_eq!(error.to_string(), "column `gcs` holds text that is not a number in row 7");
    t.columns.retain(|c| !["gcs", "ph"].contains(&c.name.as_str()));
    let error = encoder.raw(&t).unwrap_err();
    assert_eq!(error.to_string(), "the table lacks 2 of the columns this was fitted on: ph, gcs");
}

#[test]
fn a_gross_outlier_in_training_stays_finite_and_leaves_the_rest_alone() {
    let mut t = table(1_000);
    let clean = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let row = clean.rows(Split::Train)[17];
    for c in &mut t.columns[..5] {
        let Cells::Number(x) = &mut c.cells else { unreachable!() };
        replace(x, row, 1e30);
    }
    let dirty = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let (a, b) = (clean.stored_draw(), dirty.stored_draw());
    for i in (0..1_000).filter(|&i| i != row) {
        for j in 0..5 {
            assert!((a.values[[i, j]] - b.values[[i, j]]).abs() < 0.6, "row {i}, column {j}");
        }
    }
    assert!(b.values.row(row).iter().all(|v| v.abs() < 8.0), "{}", b.values.row(row));
    assert!(b.log_det[row].is_finite() && serde_json::to_string(&dirty.manifest).is_ok());
}

#[test]
fn any_model_output_decodes_to_something_finite() {
    for transform in TRANSFORMS {
        let b = bundle(400, transform);
        let encoder = &b.manifest.encoder;
        let mut rng = Seed(2).stream("v", 0);
        let mut v = Array2::from_shape_fn((50, encoder.n_coordinates()), |_| {
            normal_quantile((rng.next_u64() >> 12) as f64 / (1u64 << 52) as f64) * 3.0
        });
        v.row_mut(0).fill(1e12);
        v.row_mut(1).fill(-1e12);
        v.row_mut(2).fill(f64::INFINITY);
        assert!(encoder.decode(v.view()).iter().all(|x| !x.is_infinite()), "{transform:?}");
    }
}
