//! Splines as a graph of ONNX, of several coordinates at once.

use ndarray::{Array1, Array2};

use super::Spline;
use crate::onnx::{Graph, Linear, Value};

impl Spline {
    /// The last layer of a network with its outputs in another order: widths and heights of all n
    /// coordinates, then the slopes at all knots, of which the outer two are those of a raw slope of zero.
    pub(crate) fn arranged(&self, last: &Linear, n: usize) -> Linear {
        let (k, n_raw) = (self.n_bins, self.n_raw());
        let shares =
            (0..2).flat_map(|part| (0..n).flat_map(move |j| (0..k).map(move |b| j * n_raw + part * k + b)));
        let shares = last.rows(&shares.collect::<Vec<usize>>());
        let inputs = last.matrix.ncols();
        let mut slopes =
            Linear { matrix: Array2::zeros((n * (k + 1), inputs)), offset: Array1::zeros(n * (k + 1)) };
        for j in 0..n {
            for knot in 1..k {
                let (to, from) = (j * (k + 1) + knot, j * n_raw + 2 * k + knot - 1);
                slopes.matrix.row_mut(to).assign(&last.matrix.row(from));
                slopes.offset[to] = last.offset[from];
            }
        }
        slopes.offset += self.constants::<f64>().slope_offset;
        Linear::stacked(&[shares, slopes])
    }

    /// z and the sum of log dz/dx of each row. The symbols are those of [`crate::num::rational_quadratic`].
    ///
    /// # Shapes
    /// `raw: (rows, n (3K + 1))`, `x: (rows, n)` → `(rows, n)`, `(rows,)`
    pub(crate) fn write(&self, graph: &mut Graph, raw: &Value, x: &Value, n: usize) -> [Value; 2] {
        let (k, c) = (self.n_bins, self.constants::<f64>());
        let parts = graph.split(raw, 1, &[2 * n * k, n * (k + 1)]);
        let (wide, bins) = (n as i64, k as i64);
        let shares = graph.reshape(&parts[0], &[-1, 2 * wide, bins]);
        let shares = graph.softmax(&shares, 2);
        let sizes = graph.times(&shares, c.shared_width);
        let sizes = graph.plus(&sizes, c.min_width);
        // Knot b is −B and the sum of the sizes of the bins before b.
        let before: Vec<f64> = (0..k * k).map(|i| f64::from(u8::from(i / k < i % k))).collect();
        let before = graph.doubles(&before, &[k, k]);
        let knots = graph.product(&sizes, &before);
        let knots = graph.plus(&knots, -c.bound);
        let (sizes, knots) = (graph.split(&sizes, 1, &[n, n]), graph.split(&knots, 1, &[n, n]));
        let slopes = graph.reshape(&parts[1], &[-1, wide, bins + 1]);

        // The bin: the last knot at or below x, or the first.
        let x = graph.unsqueeze(x, 2);
        let passed = graph.at_least(&x, &knots[0]);
        let passed = graph.to_int(&passed);
        let passed = graph.sum(&passed, 2, true);
        let (one, first) = (graph.ints(&[1], &[]), graph.ints(&[1], &[]));
        let passed = graph.larger(&passed, &first);
        let bin = graph.subtract(&passed, &one);
        let x0 = graph.pick(&knots[0], &bin, 2);
        let y0 = graph.pick(&knots[1], &bin, 2);
        let w = graph.pick(&sizes[0], &bin, 2);
        let h = graph.pick(&sizes[1], &bin, 2);
        let ends = graph.concat(&[bin, passed], 2);
        let ends = graph.pick(&slopes, &ends, 2);
        let ends = graph.softplus(&ends);
        let ends = graph.plus(&ends, c.min_slope);
        let ends = graph.split(&ends, 2, &[1, 1]);
        let (d0, d1) = (&ends[0], &ends[1]);

        let size = graph.abs(&x);
        let bound = graph.number(c.bound);
        let inside = graph.above(&bound, &size);
        let s = graph.divide(&h, &w);
        let t = graph.subtract(&x, &x0);
        let xi = graph.divide(&t, &w);
        let whole = graph.number(1.0);
        let rest = graph.subtract(&whole, &xi);
        let zeta = graph.multiply(&xi, &rest);
        let square = graph.square(&xi);
        let bend = graph.add(d0, d1);
        let twice = graph.add(&s, &s);
        let bend = graph.subtract(&bend, &twice);
        let bend = graph.multiply(&bend, &zeta);
        let denominator = graph.add(&s, &bend);
        let steep = graph.multiply(&s, &square);
        let linear = graph.multiply(d0, &zeta);
        let numerator = graph.add(&steep, &linear);
        let rise = graph.divide(&numerator, &denominator);
        let rise = graph.multiply(&h, &rise);
        let moved = graph.add(&y0, &rise);
        let z = graph.choose(&inside, &moved, &x);

        let right = graph.multiply(d1, &square);
        let middle = graph.multiply(&twice, &zeta);
        let left = graph.square(&rest);
        let left = graph.multiply(d0, &left);
        let slope = graph.add(&right, &middle);
        let slope = graph.add(&slope, &left);
        let ratio = graph.divide(&s, &denominator);
        let ratio = graph.square(&ratio);
        let slope = graph.multiply(&ratio, &slope);
        let slope = graph.choose(&inside, &slope, &whole);
        let log = graph.ln(&slope);
        let log = graph.squeeze(&log, 2);
        [graph.squeeze(&z, 2), graph.sum(&log, 1, false)]
    }
}
