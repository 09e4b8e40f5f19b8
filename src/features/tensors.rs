//! `tensor.safetensors`: the numbers of a bundle as little-endian tensors that any language can open.
//!
//! | tensor | shape | type | |
//! | --- | --- | --- | --- |
//! | `values` | (n, d) | f32 | coordinates under the stored draw of the noise |
//! | `observed` | (n, d) | u8 | 1 where the feature has a value, 0 where the coordinate is noise for a missing one |
//! | `raw` | (n, p) | f64 | original units, level codes, NaN where missing |
//! | `split` | (n,) | u8 | 0 train, 1 validation, 2 calibration, 3 test |
//! | `record_id_bytes` | (b,) | u8 | UTF-8 of all ids one after the other |
//! | `record_id_offsets` | (n + 1,) | i64 | where each begins and ends |

use std::path::Path;

use ndarray::Array2;
use rayon::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::schema::Split;

use super::{Encoded, Encoder, FeatureError};

/// What a bundle keeps of its tensors in memory; `values` can be drawn again.
pub(super) struct Tensors {
    pub(super) raw: Array2<f64>,
    pub(super) splits: Vec<Split>,
    pub(super) record_ids: Vec<String>,
}

/// Numbers one thread turns into bytes at a time.
const PIECE: usize = 1 << 16;

/// `N` bytes for each number.
fn bytes_of<T: Sync, const N: usize>(numbers: &[T], bytes: impl Fn(&T) -> [u8; N] + Sync) -> Vec<u8> {
    let mut out = vec![0; numbers.len() * N];
    let pieces = out.par_chunks_mut(PIECE * N).zip(numbers.par_chunks(PIECE));
    pieces.for_each(|(out, numbers)| {
        for (out, x) in out.as_chunks_mut::<N>().0.iter_mut().zip(numbers) {
            *out = bytes(x);
        }
    });
    out
}

/// The bytes of the file; equal contents give equal bytes.
pub(super) fn to_bytes(
    stored: Encoded,
    raw: &Array2<f64>,
    splits: &[Split],
    record_ids: &[String],
) -> Vec<u8> {
    let (n, d, p) = (raw.nrows(), stored.values.ncols(), raw.ncols());
    let contiguous = "invariant: made by this crate";
    let values = bytes_of(stored.values.as_slice().expect(contiguous), |v| (*v as f32).to_le_bytes());
    drop(stored);
    let raw = raw.as_standard_layout();
    let numbers = bytes_of(raw.as_slice().expect(contiguous), |x| canonical(*x).to_le_bytes());
    let mut observed = vec![1; n * d];
    observed.par_chunks_mut(d.max(1)).zip(raw.as_slice().expect(contiguous).par_chunks(p.max(1))).for_each(
        |(observed, raw)| {
            for (o, x) in observed.iter_mut().zip(raw) {
                *o = u8::from(!x.is_nan());
            }
        },
    );
    let split: Vec<u8> = splits.iter().map(|s| code(*s)).collect();
    let id_bytes: Vec<u8> = record_ids.iter().flat_map(|id| id.bytes()).collect();
    let mut end = 0;
    let ends = record_ids.iter().map(|id| {
        end += id.len() as i64;
        end
    });
    let offsets: Vec<u8> = std::iter::once(0i64).chain(ends).flat_map(i64::to_le_bytes).collect();
    let view = |dtype, shape: Vec<usize>, data| {
        TensorView::new(dtype, shape, data).expect("invariant: every tensor has the bytes of its shape")
    };
    safetensors::serialize(
        [
            ("values", view(Dtype::F32, vec![n, d], &values)),
            ("observed", view(Dtype::U8, vec![n, d], &observed)),
            ("raw", view(Dtype::F64, vec![n, p], &numbers)),
            ("split", view(Dtype::U8, vec![n], &split)),
            ("record_id_bytes", view(Dtype::U8, vec![id_bytes.len()], &id_bytes)),
            ("record_id_offsets", view(Dtype::I64, vec![n + 1], &offsets)),
        ],
        None,
    )
    .expect("invariant: the header is small and made of plain names")
}

/// One bit pattern for "missing".
fn canonical(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

fn code(split: Split) -> u8 {
    Split::ALL.iter().position(|s| *s == split).expect("invariant: ALL lists every split") as u8
}

/// Reads and checks the file at `path` with contents `bytes` against the manifest's `n` records and `encoder`.
pub(super) fn from_bytes(
    path: &Path,
    bytes: &[u8],
    n: usize,
    encoder: &Encoder,
) -> Result<Tensors, FeatureError> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|source| FeatureError::Tensors { path: path.to_path_buf(), source })?;
    let damaged = |what: String| FeatureError::Damaged { path: path.to_path_buf(), what };
    let tensor = |name: &str, dtype: Dtype, shape: Option<&[usize]>| {
        let t =
            file.tensor(name).map_err(|source| FeatureError::Tensors { path: path.to_path_buf(), source })?;
        if t.dtype() != dtype {
            return Err(damaged(format!("tensor `{name}` holds {} instead of {dtype}", t.dtype())));
        }
        match shape {
            Some(shape) if t.shape() != shape => Err(damaged(format!(
                "tensor `{name}` has shape {:?}, the manifest says {shape:?}",
                t.shape()
            ))),
            _ => Ok(t.data()),
        }
    };
    let (p, d) = (encoder.n_features(), encoder.n_coordinates());
    let values = tensor("values", Dtype::F32, Some(&[n, d]))?;
    if let Some(i) = f32s(values).position(|v| !v.is_finite()) {
        return Err(damaged(format!("tensor `values` is not finite in record {}", i / d + 1)));
    }
    let raw: Vec<f64> = tensor("raw", Dtype::F64, Some(&[n, p]))?
        .chunks_exact(8)
        .map(|b| f64::from_le_bytes(b.try_into().expect("invariant: chunks of 8")))
        .collect();
    let observed = tensor("observed", Dtype::U8, Some(&[n, d]))?;
    for (i, row) in raw.chunks_exact(p.max(1)).enumerate() {
        for (j, x) in row.iter().enumerate() {
            if x.is_infinite() || x.is_nan() != (observed[i * d + j] == 0) {
                let name = &encoder.columns[j].meta.name;
                return Err(damaged(format!(
                    "tensors `raw` and `observed` disagree on `{name}` in record {}",
                    i + 1
                )));
            }
        }
    }
    let raw = Array2::from_shape_vec((n, p), raw).expect("invariant: the shape was checked");
    if let Some((column, row)) = first_unsound(encoder, &raw) {
        return Err(damaged(format!("tensor `raw` has no value of `{column}` in record {}", row + 1)));
    }
    let splits = tensor("split", Dtype::U8, Some(&[n]))?
        .iter()
        .map(|&code| Split::ALL.get(usize::from(code)).copied())
        .collect::<Option<Vec<Split>>>()
        .ok_or_else(|| damaged("tensor `split` holds an unknown code".into()))?;
    let id_bytes = tensor("record_id_bytes", Dtype::U8, None)?;
    let offsets: Vec<i64> = tensor("record_id_offsets", Dtype::I64, Some(&[n + 1]))?
        .chunks_exact(8)
        .map(|b| i64::from_le_bytes(b.try_into().expect("invariant: chunks of 8")))
        .collect();
    let record_ids = offsets
        .windows(2)
        .map(|w| {
            let (start, end) = (usize::try_from(w[0]).ok()?, usize::try_from(w[1]).ok()?);
            std::str::from_utf8(id_bytes.get(start..end)?).ok().map(str::to_owned)
        })
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| damaged("the record ids cannot be read".into()))?;
    Ok(Tensors { raw, splits, record_ids })
}

/// The first column, and the row there, whose number is none that the encoder could have written: an infinity, or no code of a
/// level.
pub(super) fn first_unsound(encoder: &Encoder, raw: &Array2<f64>) -> Option<(String, usize)> {
    encoder.columns.iter().zip(raw.columns()).find_map(|(column, values)| {
        let levels = column.levels.len();
        let is_code = |x: f64| x.fract() == 0.0 && (0.0..=levels as f64).contains(&x);
        let wrong = |&x: &f64| x.is_infinite() || (levels > 0 && !x.is_nan() && !is_code(x));
        values.iter().position(wrong).map(|row| (column.meta.name.clone(), row))
    })
}

fn f32s(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("invariant: chunks of 4")))
}
