//! Butterflies over the channels, the rows and the columns of a picture.

use super::{ButterflyLayer, Parametrisation};
use crate::flow::schedule::{Stage, benes, radix2_blocks, radix2_levels};

impl ButterflyLayer {
    /// A layer over the coordinates of a grid of places, channel-major: channel c at row y and column x is
    /// coordinate (c·H + y)·W + x.
    ///
    /// The first stages are a Beneš network over the channels, whose matrices are the same at all places.
    /// Then come the levels of radix 2 over the rows, and those over the columns. As in the paper, all pairs
    /// of a block share one matrix. If all three lengths are powers of two, a block of a level is one of the
    /// blocks of the paper's schedule for a vector of C·H·W coordinates.
    pub(in crate::flow) fn of_grid(size: [usize; 3], parametrisation: Parametrisation) -> Self {
        let [channels, height, width] = size;
        let at = |c: usize, y: usize, x: usize| (c * height + y) * width + x;
        let mut stages: Vec<Vec<Stage>> = Vec::new();
        for stage in benes(channels) {
            let everywhere = |(a, b): (usize, usize)| -> Stage {
                (0..height * width).map(|place| (at(a, 0, place), at(b, 0, place))).collect()
            };
            stages.push(stage.into_iter().map(everywhere).collect());
        }
        for level in 0..radix2_levels(height) {
            let block = |c: usize, pairs: &Stage| -> Stage {
                let of_rows = |&(p, q): &(usize, usize)| (0..width).map(move |x| (at(c, p, x), at(c, q, x)));
                pairs.iter().flat_map(of_rows).collect()
            };
            let blocks = radix2_blocks(height, level);
            stages.push((0..channels).flat_map(|c| blocks.iter().map(move |b| block(c, b))).collect());
        }
        for level in 0..radix2_levels(width) {
            let block = |c: usize, pairs: &Stage| -> Stage {
                let of_columns =
                    |&(p, q): &(usize, usize)| (0..height).map(move |y| (at(c, y, p), at(c, y, q)));
                pairs.iter().flat_map(of_columns).collect()
            };
            let blocks = radix2_blocks(width, level);
            stages.push((0..channels).flat_map(|c| blocks.iter().map(move |b| block(c, b))).collect());
        }
        Self::from_groups(channels * height * width, stages, parametrisation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::bijector::{Bijector, Tape};
    use crate::flow::gradcheck::check_bijector;

    #[test]
    fn butterflies_of_pictures_are_bijectors() {
        for size in [[1, 1, 1], [1, 3, 2], [3, 2, 2], [4, 1, 1], [2, 5, 1], [1, 1, 3]] {
            for parametrisation in [Parametrisation::Raw, Parametrisation::Rotation] {
                check_bijector(&ButterflyLayer::of_grid(size, parametrisation), 23);
            }
        }
    }

    #[test]
    fn every_number_depends_on_every_other_where_lengths_are_powers_of_two() {
        for size in [[2, 4, 4], [4, 2, 8], [1, 8, 1]] {
            let d: usize = size.iter().product();
            let layer = ButterflyLayer::of_grid(size, Parametrisation::Rotation).with_random_start(0.7);
            let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut crate::random::Seed(3).stream("init", 0));
            let mut z = vec![0.0; d * d];
            (0..d).for_each(|i| z[i * d + i] = 1.0);
            layer.forward(&parameters, &mut z, &mut vec![0.0; d], &mut Tape::default(), None);
            assert!(z.iter().all(|v| v.abs() > 1e-9), "{size:?}");
        }
    }

    #[test]
    fn channels_are_mixed_alike_everywhere_and_the_rest_is_shared_within_blocks() {
        let layer = ButterflyLayer::of_grid([4, 4, 2], Parametrisation::Rotation);
        // Three stages of two switches; of rows one and two blocks in each channel, of columns one.
        assert_eq!(layer.n_matrices(), 3 * 2 + 4 * (1 + 2) + 4);
        assert_eq!(layer.n_stages(), 3 + 2 + 1);
    }
}
