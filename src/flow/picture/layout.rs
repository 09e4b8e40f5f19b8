//! Orders of the coordinates of pictures: new row i is old row `order[i]`.

use super::settings::PictureSize;

/// From pixel after pixel to channel after channel.
pub(super) fn channel_major(size: PictureSize) -> Vec<usize> {
    let PictureSize { height, width, channels } = size;
    (0..channels).flat_map(|c| (0..height * width).map(move |pixel| pixel * channels + c)).collect()
}

/// Makes the pixels of every square one pixel, from channel-major to channel-major rows. An axis of odd
/// length keeps its length. Channel (a·s + b)·C + c of the result holds channel c at row a and column b of
/// the square, where s is the number of columns of a square.
pub(super) fn squeeze(size: PictureSize) -> Vec<usize> {
    let PictureSize { height, width, channels } = size;
    let PictureSize { height: rows, width: columns, .. } = size.squeezed();
    let (down, across) = (height / rows, width / columns);
    let mut order = Vec::with_capacity(height * width * channels);
    for (a, b) in (0..down).flat_map(|a| (0..across).map(move |b| (a, b))) {
        for c in 0..channels {
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                order.push((c * height + down * row + a) * width + across * column + b);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::draw::is_permutation;

    #[test]
    fn squares_become_channels() {
        let size = PictureSize { height: 2, width: 4, channels: 1 };
        // Upper left, upper right, lower left and lower right of both squares.
        assert_eq!(squeeze(size), [0, 2, 1, 3, 4, 6, 5, 7]);
        assert_eq!(squeeze(PictureSize { height: 1, ..size }), [0, 2, 1, 3]);
        for (height, width, channels) in [(6, 4, 3), (5, 2, 1), (1, 1, 2), (3, 3, 2)] {
            let size = PictureSize { height, width, channels };
            assert!(is_permutation(&squeeze(size), height * width * channels));
            assert!(is_permutation(&channel_major(size), height * width * channels));
        }
        // Red, green and blue of two pixels.
        assert_eq!(channel_major(PictureSize { height: 1, width: 2, channels: 3 }), [0, 3, 1, 4, 2, 5]);
    }
}
