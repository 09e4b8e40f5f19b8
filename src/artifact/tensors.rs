//! The numbers of a model as safetensors: little-endian, C order, one tensor per named parameter.

use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{ArtifactError, Header, Model, ModelKind};
use crate::baseline::{Gmm, Var};
use crate::flow::Flow;
use crate::window::WindowFlow;

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

/// All tensors of a model; safetensors orders them, so equal models give equal bytes.
pub(super) fn serialize(model: &Model) -> Vec<u8> {
    let tensors: Vec<Tensor> = match model {
        Model::Flow(flow) => {
            let views = flow.parameter_views().iter();
            let parameters = flow.parameters();
            let tensor = |v: &crate::flow::ParameterView| {
                let bytes = parameters[v.range.clone()].iter().flat_map(|p| p.to_le_bytes()).collect();
                (v.name.clone(), Dtype::F32, v.shape.clone(), bytes)
            };
            views.map(tensor).collect()
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
    };
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).expect("invariant: shape × size is the length");
        (name.as_str(), view)
    });
    safetensors::serialize(views, None).expect("invariant: names and shapes fit the format")
}

/// Puts the model of `header` together from the bytes of `file`; `dir` is for messages.
pub(super) fn deserialize(
    dir: &Path,
    file: &Path,
    bytes: &[u8],
    header: &Header,
) -> Result<Model, ArtifactError> {
    let damaged = |what: String| ArtifactError::Damaged { path: file.to_path_buf(), what };
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
    let d = header.coordinates.len();
    match (&header.flow, header.kind.flow()) {
        (Some(config), Some(_)) => {
            if config.n_features != d {
                return Err(damaged(format!(
                    "its flow has {} coordinates, its encoder {d}",
                    config.n_features
                )));
            }
            let source = |source| ArtifactError::Flow { path: dir.to_path_buf(), source };
            let flow = Flow::<f32>::new(config, header.seed).map_err(source)?;
            if tensors.len() != flow.parameter_views().len() {
                let expected = flow.parameter_views().len();
                return Err(damaged(format!("it holds {} tensors, the flow has {expected}", tensors.len())));
            }
            let mut parameters = Vec::with_capacity(flow.n_parameters());
            for view in flow.parameter_views() {
                let data = checked(&tensors, &view.name, Dtype::F32, &view.shape).map_err(damaged)?;
                let numbers = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                parameters.extend(numbers);
                if parameters[view.range.start..].iter().any(|p| !p.is_finite()) {
                    return Err(damaged(format!("tensor `{}` holds a number that is not finite", view.name)));
                }
            }
            let flow = Flow::from_parameters(config, parameters).map_err(source)?;
            Ok(Model::Flow(flow))
        }
        (None, None) => {
            let weights = tensors.tensor("weights").map_err(|e| damaged(e.to_string()))?;
            let k = weights.shape().first().copied().unwrap_or(0);
            // Innovations of a vector autoregression have one coordinate per channel.
            let c = match header.kind {
                ModelKind::Var | ModelKind::Causal => {
                    let means = tensors.tensor("means").map_err(|e| damaged(e.to_string()))?;
                    means.shape().last().copied().filter(|c| *c > 0).unwrap_or(1)
                }
                _ => d,
            };
            let read = |name: &str, shape: &[usize]| -> Result<Vec<f64>, ArtifactError> {
                let data = checked(&tensors, name, Dtype::F64, shape).map_err(damaged)?;
                let eight = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
                Ok(data.chunks_exact(8).map(eight).collect())
            };
            let lengths = "invariant: shapes were checked";
            let weights = Array1::from_vec(read("weights", &[k])?);
            let means = Array2::from_shape_vec((k, c), read("means", &[k, c])?).expect(lengths);
            let covariances = read("covariances", &[k, c, c])?;
            let covariances = Array3::from_shape_vec((k, c, c), covariances).expect(lengths);
            let source = |source| ArtifactError::Gmm { path: dir.to_path_buf(), source };
            let gmm = Gmm::new(weights, means, covariances).map_err(source)?;
            if header.kind == ModelKind::Gmm {
                return Ok(Model::Gmm(Box::new(gmm)));
            }
            let n = tensors.tensor("mean").map_err(|e| damaged(e.to_string()))?.shape().iter().product();
            let mean = Array1::from_vec(read("mean", &[n])?);
            let covariance = Array2::from_shape_vec((n, n), read("covariance", &[n, n])?).expect(lengths);
            if d % c != 0 {
                return Err(damaged(format!(
                    "{d} coordinates are no whole number of samples of {c} channels"
                )));
            }
            let var = Var::new(d / c, c, mean, covariance, gmm).map_err(source)?;
            let Some(window) = &header.window else { return Ok(Model::Var(Box::new(var))) };
            let n = window.shape.n_parameters();
            let data = checked(&tensors, NETWORK, Dtype::F32, &[n]).map_err(damaged)?;
            let network = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            let flow = WindowFlow::new(var, window.context, window.shape, network.collect());
            Ok(Model::Causal(Box::new(flow.map_err(source)?)))
        }
        _ => Err(ArtifactError::Damaged {
            path: dir.join("model.json"),
            what: format!("a `{}` model cannot have these settings", header.kind),
        }),
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
