//! Layouts of the coordinates of a window. In each layout, `order[i]` is the time-major coordinate that row i
//! holds.

/// The layout sample after sample.
pub(in crate::flow) fn time_major(length: usize, channels: usize) -> Vec<usize> {
    (0..length * channels).collect()
}

/// The layout channel after channel, with sample t of channel c in row c·T + t.
pub(in crate::flow) fn channel_major(length: usize, channels: usize) -> Vec<usize> {
    (0..channels).flat_map(|c| (0..length).map(move |t| t * channels + c)).collect()
}

/// The layout with sample r of channel c of patch p in row (r·C + c)·L + p. Patches have `patch` samples,
/// which must divide `length`.
pub(in crate::flow) fn patches(length: usize, channels: usize, patch: usize) -> Vec<usize> {
    let count = length / patch;
    (0..patch * channels)
        .flat_map(|k| (0..count).map(move |p| (p * patch + k / channels) * channels + k % channels))
        .collect()
}

/// The layout of patches after all samples except every 2^`splits`-th have been factored out.
///
/// First come the rows of the samples that are left, in patches of `patch` samples. Then come the
/// factored-out samples. Those of a later split come before those of an earlier one.
pub(in crate::flow) fn split_patches(
    length: usize,
    channels: usize,
    patch: usize,
    splits: usize,
) -> Vec<usize> {
    let mut order: Vec<usize> = patches(length >> splits, channels, patch)
        .into_iter()
        .map(|i| ((i / channels) << splits) * channels + i % channels)
        .collect();
    for split in (0..splits).rev() {
        let out = channel_major(length >> (split + 1), channels);
        order
            .extend(out.into_iter().map(|i| (((2 * (i / channels)) + 1) << split) * channels + i % channels));
    }
    order
}

/// The order that takes rows from layout `from` to layout `to`: new row i is old row `order[i]`.
pub(in crate::flow) fn between(from: &[usize], to: &[usize]) -> Vec<usize> {
    let mut place = vec![0; from.len()];
    for (row, &coordinate) in from.iter().enumerate() {
        place[coordinate] = row;
    }
    to.iter().map(|&coordinate| place[coordinate]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::draw::is_permutation;

    #[test]
    fn factored_out_samples_lie_behind_the_others() {
        let order = split_patches(8, 1, 2, 1);
        assert_eq!(order, [0, 4, 2, 6, 1, 3, 5, 7]);
        assert_eq!(split_patches(8, 1, 2, 2), [0, 4, 2, 6, 1, 3, 5, 7]);
        assert_eq!(split_patches(8, 2, 4, 0), patches(8, 2, 4));
    }

    #[test]
    fn layouts_are_orders_of_all_coordinates_and_lead_to_each_other() {
        let (length, channels) = (12, 2);
        let all = [
            time_major(length, channels),
            channel_major(length, channels),
            patches(length, channels, 4),
            patches(length, channels, 12),
            patches(length, channels, 1),
            split_patches(length, channels, 3, 2),
            split_patches(length, channels, 6, 1),
        ];
        for from in &all {
            assert!(is_permutation(from, length * channels));
            for to in &all {
                let order = between(from, to);
                let moved: Vec<usize> = order.iter().map(|&row| from[row]).collect();
                assert_eq!(&moved, to);
            }
        }
        // Sample 1 of channel 0 of the second of three patches is the sample at time 5.
        assert_eq!(all[2][2 * 3 + 1], 5 * 2);
    }
}
