use super::*;

/// A density under which neighbours of a row are alike.
fn smooth(size: Size) -> impl Fn(ArrayView2<'_, f64>) -> Vec<f64> {
    move |pictures| {
        let [_, width, channels] = size;
        let of = |picture: Vec<f64>| {
            let beside = |at: usize| !(at / channels + 1).is_multiple_of(width);
            let pairs = (0..picture.len()).filter(|at| beside(*at));
            -pairs.map(|at| (picture[at] - picture[at + channels]).powi(2)).sum::<f64>()
        };
        pictures.rows().into_iter().map(|row| of(row.to_vec())).collect()
    }
}

#[test]
fn a_planted_fault_is_where_most_is_missing() {
    for size in [[6, 7, 1], [18, 21, 3], [3, 2, 2]] {
        let [height, width, channels] = size;
        let mut picture: Vec<f64> = (0..height * width * channels).map(|at| (at % 3) as f64).collect();
        let fault = (height - 1) * width * channels + (width - 1) * channels;
        picture[fault] = 40.0;
        let missing = missing(&picture, size, smooth(size));
        let most = missing.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(missing[fault], most, "{size:?}");
        assert!(most > 1.0);
        // The patch of the fault alone.
        let patch = patches(size).into_iter().find(|patch| patch.contains(height - 1, width - 1)).unwrap();
        let n = missing.iter().filter(|x| **x == most).count();
        assert_eq!(n, patch.n_pixels() * channels, "{size:?}");
    }
}

#[test]
fn nothing_is_missing_where_all_patches_are_alike() {
    let size = [8, 8, 1];
    assert!(missing(&[3.0; 64], size, smooth(size)).iter().all(|x| *x == 0.0));
    // A single patch has nothing around it.
    assert_eq!(missing(&[3.0, 9.0], [1, 2, 1], smooth([1, 2, 1])), [0.0, 0.0]);
}

#[test]
fn patches_cover_a_picture_once() {
    for [height, width] in [[1, 1], [5, 4], [16, 19], [28, 28]] {
        let size = [height, width, 2];
        let mut seen = vec![0; height * width * 2];
        for patch in patches(size) {
            (0..2).for_each(|channel| patch.numbers(size, channel).for_each(|at| seen[at] += 1));
        }
        assert!(seen.iter().all(|n| *n == 1), "{size:?}");
    }
}
