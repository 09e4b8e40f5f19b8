//! Coordinates of columns of numbers: noise as wide as their resolution, then their transform.

use ndarray::Array2;

use super::{Numbers, Part, RawRecords};
use crate::features::{Encoder, Noise, Transform};
use crate::num::special::{normal_log_pdf, normal_quantile};
use crate::onnx::{Graph, Value};

/// Transforms that are written alike.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    NormalScore,
    Affine,
    LogAffine,
}

const FORMS: [Form; 3] = [Form::NormalScore, Form::Affine, Form::LogAffine];

impl Encoder {
    /// Coordinates of columns whose transform is not one of levels.
    pub(super) fn numbers_in(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        columns: &[usize],
        uniforms: &Array2<f64>,
    ) -> (Part, Numbers) {
        let p = self.n_features();
        let of = |form: Form| columns.iter().copied().filter(move |&column| self.form(column) == form);
        let groups: Vec<(Form, Vec<usize>)> = FORMS
            .into_iter()
            .map(|form| (form, of(form).collect::<Vec<usize>>()))
            .filter(|(_, own)| !own.is_empty())
            .collect();
        let order: Vec<usize> = groups.iter().flat_map(|(_, own)| own.iter().copied()).collect();
        let (draws, n) = (uniforms.nrows(), order.len());
        let x = graph.columns(&records.filled, &order, p, 1);
        let missing = graph.columns(&records.missing, &order, p, 1);
        let missing = graph.unsqueeze(&missing, 1);

        let y = self.dequantised(graph, &x, &order, uniforms);
        let lengths: Vec<usize> = groups.iter().map(|(_, own)| own.len()).collect();
        let parts = graph.split(&y, 2, &lengths);
        let (mut values, mut log_dets) = (Vec::new(), Vec::new());
        for ((form, own), y) in groups.iter().zip(&parts) {
            let (v, log_det) = match form {
                Form::NormalScore => self.normal_scores_in(graph, y, own),
                Form::Affine => self.affine(graph, y, own),
                Form::LogAffine => self.log_affine(graph, y, own),
            };
            values.push(v);
            log_dets.push(log_det);
        }
        let (v, log_det) = (graph.concat(&values, 2), graph.concat(&log_dets, 2));

        // What is missing: coordinates are noise, and numbers are those whose coordinates the noise is.
        let noise = |f: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let row = |s: usize| order.iter().map(move |&j| f(j, normal_quantile(uniforms[(s, j)])));
            (0..draws).flat_map(row).collect()
        };
        let shape = [1, draws, n];
        let noisy = noise(&|_, v| v);
        let noisy = graph.doubles(&noisy, &shape);
        let v = graph.choose(&missing, &noisy, &v);
        let log_pdf = noise(&|_, v| normal_log_pdf(v));
        let log_pdf = graph.doubles(&log_pdf, &shape);
        let zero = graph.number(0.0);
        let log_noise = graph.choose(&missing, &log_pdf, &zero);
        let counted = graph.choose(&missing, &zero, &log_det);

        let number = noise(&|j, v| self.columns[j].transform.inverse(v));
        let number = graph.doubles(&number, &shape);
        let there = noise(&|j, v| {
            let transform = &self.columns[j].transform;
            transform.forward(transform.inverse(v)).1
        });
        let there = graph.doubles(&there, &shape);
        let numbers = Numbers {
            columns: order.clone(),
            dequantised: Some(graph.choose(&missing, &number, &y)),
            log_det: Some(graph.choose(&missing, &there, &log_det)),
        };
        let (log_det, log_noise) = (graph.sum(&counted, 2, false), graph.sum(&log_noise, 2, false));
        (Part { values: v, order, log_det, log_noise }, numbers)
    }

    fn form(&self, column: usize) -> Form {
        match self.columns[column].transform {
            Transform::NormalScore(_) => Form::NormalScore,
            Transform::LogAffine { .. } => Form::LogAffine,
            Transform::Affine { .. } | Transform::Levels(_) => Form::Affine,
        }
    }

    /// Numbers with their noise: low + (high − low) u, where low and high are the ends of the interval that a
    /// number is spread over.
    ///
    /// # Shapes
    /// `x: (n, columns)` → `(n, draws, columns)`
    fn dequantised(&self, graph: &mut Graph, x: &Value, columns: &[usize], uniforms: &Array2<f64>) -> Value {
        let n = columns.len();
        let delta = |column: usize| match self.columns[column].noise {
            Noise::Uniform { delta } => delta,
            Noise::None | Noise::Atoms { .. } => 0.0,
        };
        let half: Vec<f64> = columns.iter().map(|&column| -0.5 * delta(column)).collect();
        let widths: Vec<f64> = columns.iter().map(|&column| delta(column)).collect();
        let (mut shift, mut width) = (graph.doubles(&half, &[n]), graph.doubles(&widths, &[n]));
        if let Some([more_shift, more_width]) = self.atoms(graph, x, columns) {
            shift = graph.add(&shift, &more_shift);
            width = graph.add(&width, &more_width);
            width = graph.unsqueeze(&width, 1);
        }
        let low = graph.add(x, &shift);
        let low = graph.unsqueeze(&low, 1);
        let u: Vec<f64> =
            uniforms.rows().into_iter().flat_map(|u| columns.iter().map(move |&j| u[j])).collect();
        let u = graph.doubles(&u, &[1, uniforms.nrows(), n]);
        let within = graph.multiply(&width, &u);
        graph.add(&low, &within)
    }

    /// How far the interval of a point mass begins from it, and how wide it is: 0 for other numbers.
    ///
    /// # Shapes
    /// → twice `(n, columns)`
    fn atoms(&self, graph: &mut Graph, x: &Value, columns: &[usize]) -> Option<[Value; 2]> {
        let own: Vec<(usize, &[crate::features::Atom])> = columns
            .iter()
            .enumerate()
            .filter_map(|(place, &column)| match &self.columns[column].noise {
                Noise::Atoms { atoms } => Some((place, atoms.as_slice())),
                Noise::None | Noise::Uniform { .. } => None,
            })
            .collect();
        if own.is_empty() {
            return None;
        }
        let all: Vec<(usize, crate::features::Atom)> =
            own.iter().flat_map(|(place, atoms)| atoms.iter().map(move |atom| (*place, *atom))).collect();
        let places: Vec<i64> = all.iter().map(|(place, _)| *place as i64).collect();
        let places = graph.ints(&places, &[places.len()]);
        // One column for each point mass.
        let repeated = graph.take(x, &places, 1);
        let values: Vec<f64> = all.iter().map(|(_, atom)| atom.value).collect();
        let values = graph.doubles(&values, &[values.len()]);
        let held = graph.equal(&repeated, &values);
        let held = graph.to_double(&held);
        let spread = |graph: &mut Graph, of: &dyn Fn(&crate::features::Atom) -> f64| {
            let mut matrix = vec![0.0; all.len() * columns.len()];
            for (row, (place, atom)) in all.iter().enumerate() {
                matrix[row * columns.len() + place] = of(atom);
            }
            let matrix = graph.doubles(&matrix, &[all.len(), columns.len()]);
            graph.product(&held, &matrix)
        };
        let shift = spread(graph, &|atom| atom.low - atom.value);
        let width = spread(graph, &|atom| atom.high - atom.low);
        Some([shift, width])
    }

    /// v = (y − shift)/scale.
    fn affine(&self, graph: &mut Graph, y: &Value, columns: &[usize]) -> (Value, Value) {
        let (mut shifts, mut scales) = (Vec::new(), Vec::new());
        for &column in columns {
            let Transform::Affine { shift, scale } = self.columns[column].transform else { continue };
            shifts.push(shift);
            scales.push(scale);
        }
        let n = scales.len();
        let log: Vec<f64> = scales.iter().map(|scale| -scale.ln()).collect();
        let (shift, scale) = (graph.doubles(&shifts, &[n]), graph.doubles(&scales, &[n]));
        let centred = graph.subtract(y, &shift);
        let v = graph.divide(&centred, &scale);
        // As large as the coordinates, whatever the number of records.
        let nothing = graph.subtract(&v, &v);
        let log = graph.doubles(&log, &[n]);
        (v, graph.add(&nothing, &log))
    }

    /// v = (log(y + offset) − shift)/scale, continued by its tangent below the knee.
    fn log_affine(&self, graph: &mut Graph, y: &Value, columns: &[usize]) -> (Value, Value) {
        let mut rows = [const { Vec::new() }; 4];
        for &column in columns {
            let Transform::LogAffine { offset, knee, shift, scale } = self.columns[column].transform else {
                continue;
            };
            rows.iter_mut().zip([offset, knee, shift, scale]).for_each(|(row, x)| row.push(x));
        }
        let log_scale: Vec<f64> = rows[3].iter().map(|scale| scale.ln()).collect();
        let n = log_scale.len();
        let [offset, knee, shift, scale] = rows.map(|row| graph.doubles(&row, &[n]));
        let log_scale = graph.doubles(&log_scale, &[n]);
        let t = graph.add(y, &offset);
        let inner = graph.larger(&t, &knee);
        let log = graph.ln(&inner);
        let zero = graph.number(0.0);
        // ln(knee) + (t − knee)/knee below, where ln t would be too steep.
        let below = graph.subtract(&t, &inner);
        let below = graph.smaller(&below, &zero);
        let below = graph.divide(&below, &knee);
        let bent = graph.add(&log, &below);
        let centred = graph.subtract(&bent, &shift);
        let v = graph.divide(&centred, &scale);
        let slope = graph.add(&log, &log_scale);
        (v, graph.minus(&slope))
    }
}
