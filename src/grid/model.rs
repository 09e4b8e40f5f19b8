//! The density of a picture.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::RngExt;
use rayon::prelude::*;

use super::network::{GridShape, Seeing, draw};
use super::sight::{Canvas, Seen, Sight};
use crate::baseline::MixtureError;
use crate::density::Density;
use crate::features::PixelScale;
use crate::flow::Tape;
use crate::random::Seed;

/// Pictures that are drawn together.
const BLOCK: usize = 32;
/// Numbers that are judged together.
const TOGETHER: usize = 512;

/// A causal flow of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct GridFlow {
    canvas: Canvas,
    sight: Sight,
    shape: GridShape,
    /// Those of each channel, one behind the other.
    parameters: Vec<f32>,
}

/// Memory of a thread that looks at pictures.
pub(super) struct Eye {
    pub(super) seen: Seen,
    pub(super) tape: Tape<f32>,
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) guess: Vec<f32>,
}

impl GridFlow {
    /// Puts a flow together from the parameters of its networks.
    ///
    /// # Errors
    /// [`MixtureError::Shape`] when the sizes do not fit together, [`MixtureError::NotFinite`] for damaged
    /// parameters.
    pub fn new(
        canvas: Canvas,
        sight: Sight,
        shape: GridShape,
        parameters: Vec<f32>,
    ) -> Result<Self, MixtureError> {
        let sizes =
            |what, got, expected| MixtureError::Shape { what, got: vec![got], expected: vec![expected] };
        if canvas.n_numbers() == 0 || !(2..=256).contains(&canvas.levels) {
            return Err(sizes("numbers of a picture", canvas.n_numbers(), 1));
        }
        if shape.inputs != sight.n_inputs(&canvas) {
            return Err(sizes("inputs of the network", shape.inputs, sight.n_inputs(&canvas)));
        }
        let n = canvas.channels * shape.n_parameters();
        if parameters.len() != n || shape.components == 0 || shape.layers == 0 {
            return Err(sizes("parameters of the networks", parameters.len(), n));
        }
        if let Some(column) = parameters.iter().position(|p| !p.is_finite()) {
            return Err(MixtureError::NotFinite { what: "network parameters", row: 0, column });
        }
        Ok(Self { canvas, sight, shape, parameters })
    }

    /// The size of its pictures.
    pub fn canvas(&self) -> Canvas {
        self.canvas
    }

    /// What its networks see.
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// Sizes of the network of a channel.
    pub fn shape(&self) -> GridShape {
        self.shape
    }

    /// The parameters of all channels.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    pub(super) fn set_parameters(&mut self, parameters: &[f32]) {
        self.parameters.copy_from_slice(parameters);
    }

    /// The parameters of a channel's network.
    pub(super) fn of_channel(&self, channel: usize) -> &[f32] {
        let n = self.shape.n_parameters();
        &self.parameters[channel * n..(channel + 1) * n]
    }

    pub(super) fn eye(&self) -> Eye {
        Eye {
            seen: Seen::blank(self.sight, self.canvas),
            tape: Tape::default(),
            x: Vec::new(),
            y: Vec::new(),
            guess: Vec::new(),
        }
    }

    /// The scale between levels and coordinates.
    fn scale(&self) -> PixelScale {
        PixelScale { levels: self.canvas.levels }
    }

    /// The levels that coordinates stand for; none where one lies beyond all levels.
    fn levels_of<'v>(&self, v: impl IntoIterator<Item = &'v f64>) -> Option<Vec<u8>> {
        v.into_iter().map(|v| self.scale().level(*v)).collect()
    }

    /// The levels that a row of coordinates, none of them beyond all levels, stands for.
    #[cfg(test)]
    pub(super) fn levels_of_row<'v>(&self, v: impl IntoIterator<Item = &'v f64>) -> Vec<u8> {
        self.levels_of(v).expect("invariant: what was drawn has levels")
    }

    /// Log-probability of every number of a picture, in nats.
    ///
    /// # Panics
    /// If the picture has another number of numbers.
    pub fn log_prob_of_each(&self, picture: &[u8]) -> Vec<f64> {
        self.of_each(picture, &mut self.eye())
    }

    fn of_each(&self, picture: &[u8], eye: &mut Eye) -> Vec<f64> {
        let Canvas { channels, levels, .. } = self.canvas;
        assert_eq!(picture.len(), self.canvas.n_numbers(), "one level for each number");
        eye.seen.look(picture);
        let mut all = vec![0.0; picture.len()];
        let pixels: Vec<u32> = (0..self.canvas.n_pixels() as u32).collect();
        let mut log_prob = vec![0.0; TOGETHER];
        for channel in 0..channels {
            for some in pixels.chunks(TOGETHER) {
                let n = some.len();
                let seeing = look(self, eye, picture, some, channel, levels);
                self.shape.log_prob(self.of_channel(channel), &seeing.0, &mut log_prob[..n], seeing.1);
                for (pixel, log_prob) in some.iter().zip(&log_prob) {
                    all[*pixel as usize * channels + channel] = f64::from(*log_prob);
                }
            }
        }
        all
    }

    /// Nats by which every number of a picture is less likely than the model expects of what it predicts
    /// there: minus its log-probability, less the entropy of its distribution. On pictures that follow the
    /// model the mean is 0.
    ///
    /// # Panics
    /// If the picture has another number of numbers.
    pub fn surplus(&self, picture: &[u8]) -> Vec<f64> {
        let Canvas { channels, levels, .. } = self.canvas;
        assert_eq!(picture.len(), self.canvas.n_numbers(), "one level for each number");
        let mut eye = self.eye();
        eye.seen.look(picture);
        let mut all = vec![0.0; picture.len()];
        let pixels: Vec<u32> = (0..self.canvas.n_pixels() as u32).collect();
        for channel in 0..channels {
            for some in pixels.chunks(TOGETHER) {
                let (seeing, tape) = look(self, &mut eye, picture, some, channel, levels);
                let each = self.shape.surplus(self.of_channel(channel), &seeing, &self.canvas, tape);
                for (pixel, surplus) in some.iter().zip(each) {
                    all[*pixel as usize * channels + channel] = surplus;
                }
            }
        }
        all
    }

    /// Log-probability of each picture.
    pub(super) fn log_probs(&self, pictures: &[&[u8]]) -> Vec<f64> {
        let one = |eye: &mut Eye, picture: &&[u8]| self.of_each(picture, eye).iter().sum::<f64>();
        pictures.par_iter().map_init(|| self.eye(), one).collect()
    }

    /// Draws pictures together, so that the network judges one number of all of them at a time.
    fn draw_block(&self, n: usize, seed: Seed, block: u64) -> Vec<Vec<u8>> {
        let Canvas { channels, width, levels, .. } = self.canvas;
        let mut rng = seed.stream("grid-sample", block);
        let mut seen: Vec<Seen> = (0..n).map(|_| Seen::blank(self.sight, self.canvas)).collect();
        let mut pictures = vec![vec![0; self.canvas.n_numbers()]; n];
        let (mut x, mut guess, mut tape) = (vec![0.0; self.shape.inputs * n], vec![0.0; n], Tape::default());
        for pixel in 0..self.canvas.n_pixels() {
            for channel in 0..channels {
                for (i, seen) in seen.iter().enumerate() {
                    seen.inputs(&[pixel as u32], channel, (&mut x, i, n), &mut guess[i..=i]);
                }
                let out = self.shape.outputs_of(self.of_channel(channel), &x, n, &mut tape);
                for i in 0..n {
                    let u = [rng.random(), rng.random()];
                    let level = draw(|j| out[j * n + i], guess[i], self.shape.components, levels, u);
                    pictures[i][pixel * channels + channel] = level;
                    seen[i].set(pixel, channel, level);
                }
            }
            if (pixel + 1) % width == 0 {
                seen.iter_mut().for_each(|seen| seen.end_row(pixel / width));
            }
        }
        pictures
    }
}

/// Prepares some numbers of a channel of a picture at which the eye looks.
pub(super) fn look<'e>(
    flow: &GridFlow,
    eye: &'e mut Eye,
    picture: &[u8],
    pixels: &[u32],
    channel: usize,
    levels: u32,
) -> (Seeing<'e, f32>, &'e mut Tape<f32>) {
    let (n, channels) = (pixels.len(), flow.canvas.channels);
    eye.x.resize(flow.shape.inputs * n, 0.0);
    eye.guess.resize(n, 0.0);
    eye.y.clear();
    eye.y.extend(pixels.iter().map(|p| flow.canvas.scaled(picture[*p as usize * channels + channel])));
    eye.seen.inputs(pixels, channel, (&mut eye.x, 0, n), &mut eye.guess);
    (Seeing { x: &eye.x, y: &eye.y, guess: &eye.guess, levels }, &mut eye.tape)
}

impl Density for GridFlow {
    fn n_features(&self) -> usize {
        self.canvas.n_numbers()
    }

    fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    /// A coordinate beyond all levels has no density.
    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        assert_eq!(v.ncols(), self.n_features(), "invariant: callers match coordinates first");
        let constant = self.scale().log_density(self.n_features());
        let rows: Vec<_> = v.rows().into_iter().collect();
        let one = |eye: &mut Eye, row: &ndarray::ArrayView1<'_, f64>| match self.levels_of(row) {
            Some(picture) => self.of_each(&picture, eye).iter().sum::<f64>() + constant,
            None => f64::NEG_INFINITY,
        };
        rows.par_iter().map_init(|| self.eye(), one).collect::<Vec<f64>>().into()
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        let mut out = Array2::<f64>::zeros((n, self.n_features()));
        let scale = self.scale();
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let pictures = self.draw_block(rows.nrows(), seed, b as u64);
            let mut noise = seed.stream("grid-noise", b as u64);
            for (mut row, picture) in rows.rows_mut().into_iter().zip(pictures) {
                for (v, level) in row.iter_mut().zip(picture) {
                    *v = scale.coordinate(f64::from(level) + noise.random::<f64>() - 0.5);
                }
            }
        });
        out
    }
}
