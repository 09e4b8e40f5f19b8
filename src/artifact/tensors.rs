//! The numbers of a model as safetensors: little-endian, C order, one tensor per named parameter.

use std::cell::Cell;
use std::path::Path;

use ndarray::{ArrayBase, Data, Dimension};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ArtifactError;
use crate::features::Encoder;

/// One tensor of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// Numbers of double precision.
    pub fn doubles<S: Data<Elem = f64>, D: Dimension>(name: &str, values: &ArrayBase<S, D>) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { name: name.to_owned(), dtype: Dtype::F64, shape: values.shape().to_vec(), bytes }
    }

    /// Numbers of single precision.
    pub fn singles(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { name: name.to_owned(), dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    /// The same tensor of a member of an ensemble.
    #[must_use]
    pub(super) fn of_member(mut self, member: usize) -> Self {
        self.name.insert_str(0, &prefix(member));
        self
    }
}

/// What the names of a member's tensors begin with.
fn prefix(member: usize) -> String {
    format!("member.{member}.")
}

/// The bytes of `model.safetensors`; safetensors orders the tensors, so equal models give equal bytes.
pub(super) fn serialize(tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|t| {
        let view = TensorView::new(t.dtype, t.shape.clone(), &t.bytes);
        (t.name.as_str(), view.expect("invariant: shape × size is the length"))
    });
    safetensors::serialize(views, None).expect("invariant: names and shapes fit the format")
}

/// A model folder while it is read.
pub(super) struct Source<'a> {
    /// The folder, for messages.
    pub(super) dir: &'a Path,
    /// Its file of tensors, for messages.
    pub(super) file: &'a Path,
    encoder: &'a Encoder,
    /// Coordinates the density is conditioned on.
    context: Vec<usize>,
    tensors: SafeTensors<'a>,
    /// Number of tensors that some model took.
    taken: Cell<usize>,
}

impl<'a> Source<'a> {
    /// The tensors in `bytes`, for a model of the coordinates of `encoder`.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] where these are no safetensors.
    pub(super) fn new(
        dir: &'a Path,
        file: &'a Path,
        bytes: &'a [u8],
        encoder: &'a Encoder,
    ) -> Result<Self, ArtifactError> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|e| ArtifactError::Damaged { path: file.to_path_buf(), what: e.to_string() })?;
        let context = encoder.context_coordinates();
        Ok(Self { dir, file, encoder, context, tensors, taken: Cell::new(0) })
    }

    /// Checks that every tensor belongs to some model.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] with the two numbers.
    pub(super) fn finish(&self) -> Result<(), ArtifactError> {
        let (found, taken) = (self.tensors.len(), self.taken.get());
        if found == taken {
            return Ok(());
        }
        let what = format!("it holds {found} tensors, its models have {taken}");
        Err(ArtifactError::Damaged { path: self.file.to_path_buf(), what })
    }
}

/// What a family reads its model from: the tensors of one density, and what the header says about it.
pub struct Reading<'a> {
    source: &'a Source<'a>,
    details: &'a Map<String, Value>,
    prefix: String,
}

impl<'a> Reading<'a> {
    /// The tensors of a model, or of a member of an ensemble.
    pub(super) fn new(
        source: &'a Source<'a>,
        details: &'a Map<String, Value>,
        member: Option<usize>,
    ) -> Self {
        Self { source, details, prefix: member.map(prefix).unwrap_or_default() }
    }

    /// Number of coordinates of the model's encoder.
    pub fn n_coordinates(&self) -> usize {
        self.source.encoder.n_coordinates()
    }

    /// The map from records to the model's coordinates.
    pub fn encoder(&self) -> &Encoder {
        self.source.encoder
    }

    /// Coordinates that the density is conditioned on.
    pub fn context(&self) -> &[usize] {
        &self.source.context
    }

    /// The model's folder, for messages.
    pub fn folder(&self) -> &Path {
        self.source.dir
    }

    /// What the family wrote into the header.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] where it is something else.
    pub fn details<T: DeserializeOwned>(&self) -> Result<T, ArtifactError> {
        serde_json::from_value(Value::Object(self.details.clone())).map_err(|e| ArtifactError::Damaged {
            path: self.source.dir.join("model.json"),
            what: format!("a model of its family cannot have these settings: {e}"),
        })
    }

    /// The error for tensors that do not go together.
    pub fn damaged(&self, what: String) -> ArtifactError {
        ArtifactError::Damaged { path: self.source.file.to_path_buf(), what }
    }

    /// Shape of the tensor `name`.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] where there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, ArtifactError> {
        Ok(self.tensor(name)?.shape().to_vec())
    }

    /// The numbers of double precision of the tensor `name`.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] where there is no such tensor of this shape.
    pub fn doubles(&self, name: &str, shape: &[usize]) -> Result<Vec<f64>, ArtifactError> {
        let eight = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
        Ok(self.checked(name, Dtype::F64, shape)?.chunks_exact(8).map(eight).collect())
    }

    /// The numbers of single precision of the tensor `name`.
    ///
    /// # Errors
    /// [`ArtifactError::Damaged`] where there is no such tensor of this shape, or one of its numbers is not
    /// finite.
    pub fn singles(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ArtifactError> {
        let four = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let numbers: Vec<f32> = self.checked(name, Dtype::F32, shape)?.chunks_exact(4).map(four).collect();
        if numbers.iter().any(|p| !p.is_finite()) {
            let what = format!("tensor `{}{name}` holds a number that is not finite", self.prefix);
            return Err(self.damaged(what));
        }
        Ok(numbers)
    }

    fn tensor(&self, name: &str) -> Result<TensorView<'a>, ArtifactError> {
        let name = format!("{}{name}", self.prefix);
        self.source.tensors.tensor(&name).map_err(|_| self.damaged(format!("tensor `{name}` is not there")))
    }

    fn checked(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], ArtifactError> {
        let tensor = self.tensor(name)?;
        if tensor.dtype() != dtype || tensor.shape() != shape {
            return Err(self.damaged(format!(
                "tensor `{}{name}` is {:?} of shape {:?}, expected {dtype:?} of shape {shape:?}",
                self.prefix,
                tensor.dtype(),
                tensor.shape()
            )));
        }
        self.source.taken.set(self.source.taken.get() + 1);
        Ok(tensor.data())
    }
}
