//! The numbers of a model as safetensors: little-endian, C order, one tensor per named parameter.

use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{ArtifactError, Ensemble, Header, Member, Model, ModelKind, Window};
use crate::baseline::{Gmm, Var};
use crate::features::Encoder;
use crate::flow::{Flow, FlowConfig};
use crate::random::Seed;
use crate::window::WindowFlow;

/// All tensors of a model; safetensors orders them, so equal models give equal bytes.
pub(super) fn serialize(model: &Model) -> Vec<u8> {
    let tensors = named(model);
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).expect("invariant: shape × size is the length");
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).expect("invariant: names and shapes fit the format")
}

/// Name, type, shape and bytes of one tensor.
type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

fn doubles(name: &str, shape: &[usize], values: &mut dyn Iterator<Item = &f64>) -> Tensor {
    (name.to_string(), Dtype::F64, shape.to_vec(), values.flat_map(|v| v.to_le_bytes()).collect())
}

fn mixture(gmm: &Gmm) -> Vec<Tensor> {
    let (w, m, c) = (gmm.weights(), gmm.means(), gmm.covariances());
    vec![
        doubles("weights", w.shape(), &mut w.iter()),
        doubles("means", m.shape(), &mut m.iter()),
        doubles("covariances", c.shape(), &mut c.iter()),
    ]
}

fn autoregression(var: &Var) -> Vec<Tensor> {
    let (m, c) = (var.mean(), var.covariance());
    let mut tensors = mixture(var.innovation());
    tensors.push(doubles("mean", m.shape(), &mut m.iter()));
    tensors.push(doubles("covariance", c.shape(), &mut c.iter()));
    tensors
}

/// Name of the tensor with all parameters of a causal flow's network.
const NETWORK: &str = "network";

fn named(model: &Model) -> Vec<Tensor> {
    match model {
        Model::Flow(flow) => {
            let parameters = flow.parameters();
            let tensor = |v: &crate::flow::ParameterView| {
                let bytes = parameters[v.range.clone()].iter().flat_map(|p| p.to_le_bytes()).collect();
                (v.name.clone(), Dtype::F32, v.shape.clone(), bytes)
            };
            flow.parameter_views().iter().map(tensor).collect()
        }
        Model::Gmm(gmm) => mixture(gmm),
        Model::Var(var) => autoregression(var),
        Model::Causal(flow) => {
            let mut tensors = autoregression(flow.var());
            let network = flow.parameters();
            let bytes = network.iter().flat_map(|p| p.to_le_bytes()).collect();
            tensors.push((NETWORK.to_owned(), Dtype::F32, vec![network.len()], bytes));
            tensors
        }
        Model::Ensemble(ensemble) => {
            let members = ensemble.members().iter().enumerate();
            let prefixed = members.flat_map(|(i, member)| {
                named(&member.model)
                    .into_iter()
                    .map(move |(name, t, shape, bytes)| (format!("{}{name}", prefix(i)), t, shape, bytes))
            });
            prefixed.collect()
        }
    }
}

/// What the names of member `i`'s tensors begin with.
fn prefix(i: usize) -> String {
    format!("member.{i}.")
}

/// Puts the model of `header` together from the bytes of `file`; `dir` is for messages.
pub(super) fn deserialize(
    dir: &Path,
    file: &Path,
    bytes: &[u8],
    header: &Header,
    encoder: &Encoder,
) -> Result<Model, ArtifactError> {
    let damaged = |what: String| ArtifactError::Damaged { path: file.to_path_buf(), what };
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
    let (d, context) = (header.coordinates.len(), encoder.context_coordinates());
    let read = Reading { dir, file, tensors, seed: header.seed, d, context };
    let is_flow = header.kind.flow().is_some();
    if !header.members.is_empty() && is_flow {
        let mut members = Vec::with_capacity(header.members.len());
        let mut expected = 0;
        for (i, member) in header.members.iter().enumerate() {
            let (model, count) = match &member.flow {
                Some(config) => read.flow(&prefix(i), config)?,
                None => read.mixture(&prefix(i))?,
            };
            expected += count;
            members.push(Member { weight: member.weight, model });
        }
        read.count(expected)?;
        let unsound = || damaged("the weights of its members are no distribution".into());
        return Ok(Model::Ensemble(Ensemble::new(members).ok_or_else(unsound)?));
    }
    let (model, expected) = match (&header.flow, is_flow) {
        (Some(config), true) => read.flow("", config)?,
        (None, false) => match header.kind {
            ModelKind::Var | ModelKind::Causal => read.windows(header.window.as_ref())?,
            _ => read.mixture("")?,
        },
        _ => {
            return Err(ArtifactError::Damaged {
                path: dir.join("model.json"),
                what: format!("a `{}` model cannot have these settings", header.kind),
            });
        }
    };
    read.count(expected)?;
    Ok(model)
}

/// The tensors of a file, and what is needed to make sense of them.
struct Reading<'a> {
    dir: &'a Path,
    file: &'a Path,
    tensors: SafeTensors<'a>,
    seed: Seed,
    d: usize,
    context: Vec<usize>,
}

impl Reading<'_> {
    fn damaged(&self, what: String) -> ArtifactError {
        ArtifactError::Damaged { path: self.file.to_path_buf(), what }
    }

    fn count(&self, expected: usize) -> Result<(), ArtifactError> {
        let found = self.tensors.len();
        if found == expected {
            return Ok(());
        }
        Err(self.damaged(format!("it holds {found} tensors, its models have {expected}")))
    }

    /// The flow whose tensors' names begin with `prefix`, and their number.
    fn flow(&self, prefix: &str, config: &FlowConfig) -> Result<(Model, usize), ArtifactError> {
        if config.n_features != self.d {
            let (flow, encoder) = (config.n_features, self.d);
            return Err(self.damaged(format!("its flow has {flow} coordinates, its encoder {encoder}")));
        }
        if config.context != self.context {
            return Err(self.damaged("its flow is conditioned on other coordinates than its encoder".into()));
        }
        let source = |source| ArtifactError::Flow { path: self.dir.to_path_buf(), source };
        let flow = Flow::<f32>::new(config, self.seed).map_err(source)?;
        let mut parameters = Vec::with_capacity(flow.n_parameters());
        for view in flow.parameter_views() {
            let name = format!("{prefix}{}", view.name);
            let data = checked(&self.tensors, &name, Dtype::F32, &view.shape).map_err(|e| self.damaged(e))?;
            let numbers = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            parameters.extend(numbers);
            if parameters[view.range.start..].iter().any(|p| !p.is_finite()) {
                return Err(self.damaged(format!("tensor `{name}` holds a number that is not finite")));
            }
        }
        let count = flow.parameter_views().len();
        Ok((Model::Flow(Flow::from_parameters(config, parameters).map_err(source)?), count))
    }

    /// The Gaussian mixture whose tensors' names begin with `prefix`, and their number.
    fn mixture(&self, prefix: &str) -> Result<(Model, usize), ArtifactError> {
        let source = |source| ArtifactError::Gmm { path: self.dir.to_path_buf(), source };
        let gmm = self.gmm(prefix, self.d)?.conditioned_on(&self.context).map_err(source)?;
        Ok((Model::Gmm(Box::new(gmm)), 3))
    }

    /// A vector autoregression, or with `window` the causal flow on top of it, and the number of tensors.
    fn windows(&self, window: Option<&Window>) -> Result<(Model, usize), ArtifactError> {
        let source = |source| ArtifactError::Gmm { path: self.dir.to_path_buf(), source };
        let shape = |name: &str| -> Result<Vec<usize>, ArtifactError> {
            let tensor = self.tensors.tensor(name).map_err(|e| self.damaged(e.to_string()))?;
            Ok(tensor.shape().to_vec())
        };
        // Innovations have one coordinate per channel.
        let c = shape("means")?.last().copied().unwrap_or(0);
        if c == 0 || !self.d.is_multiple_of(c) {
            let d = self.d;
            return Err(
                self.damaged(format!("{d} coordinates are no whole number of samples of {c} channels"))
            );
        }
        let n = shape("mean")?.first().copied().unwrap_or(0);
        let mean = Array1::from_vec(self.numbers("mean", &[n])?);
        let covariance = Array2::from_shape_vec((n, n), self.numbers("covariance", &[n, n])?);
        let covariance = covariance.expect("invariant: shapes were checked");
        if !self.context.iter().copied().eq(0..self.context.len()) || !self.context.len().is_multiple_of(c) {
            return Err(self.damaged("the context is no past of the windows".into()));
        }
        let var = Var::new(self.d / c, c, mean, covariance, self.gmm("", c)?)
            .and_then(|var| var.given(self.context.len() / c))
            .map_err(source)?;
        let Some(window) = window else { return Ok((Model::Var(Box::new(var)), 5)) };
        let n = window.shape.n_parameters();
        let data = checked(&self.tensors, NETWORK, Dtype::F32, &[n]).map_err(|e| self.damaged(e))?;
        let network = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let flow =
            WindowFlow::new(var, window.context, window.shape, network.collect(), window.lattice.clone());
        Ok((Model::Causal(Box::new(flow.map_err(source)?)), 6))
    }

    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ArtifactError> {
        let data = checked(&self.tensors, name, Dtype::F64, shape).map_err(|e| self.damaged(e))?;
        let eight = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
        Ok(data.chunks_exact(8).map(eight).collect())
    }

    /// The mixture on `d` coordinates whose tensors' names begin with `prefix`.
    fn gmm(&self, prefix: &str, d: usize) -> Result<Gmm, ArtifactError> {
        let weights =
            self.tensors.tensor(&format!("{prefix}weights")).map_err(|e| self.damaged(e.to_string()))?;
        let k = weights.shape().first().copied().unwrap_or(0);
        let read = |name: &str, shape: &[usize]| self.numbers(&format!("{prefix}{name}"), shape);
        let lengths = "invariant: shapes were checked";
        let weights = Array1::from_vec(read("weights", &[k])?);
        let means = Array2::from_shape_vec((k, d), read("means", &[k, d])?).expect(lengths);
        let covariances = read("covariances", &[k, d, d])?;
        let covariances = Array3::from_shape_vec((k, d, d), covariances).expect(lengths);
        let source = |source| ArtifactError::Gmm { path: self.dir.to_path_buf(), source };
        Gmm::new(weights, means, covariances).map_err(source)
    }
}

fn checked<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
    shape: &[usize],
) -> Result<&'a [u8], String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("tensor `{name}` is not there"))?;
    if tensor.dtype() != dtype || tensor.shape() != shape {
        return Err(format!(
            "tensor `{name}` is {:?} of shape {:?}, expected {dtype:?} of shape {shape:?}",
            tensor.dtype(),
            tensor.shape()
        ));
    }
    Ok(tensor.data())
}
