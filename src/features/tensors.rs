//! `tensor.safetensors`: the numbers of a bundle as little-endian tensors that any language can open.
//!
//! | tensor | shape | type | |
//! | --- | --- | --- | --- |
//! | `values` | (n, d) | f32 | coordinates under the stored draw of the noise |
//! | `observed` | (n, d) | u8 | 1 where the feature has a value, 0 where the coordinate is noise for a
//! missing one |
//! | `raw` | (n, p) | f64 | original units, level codes, NaN where missing |
//! | `split` | (n,) | u8 | 0 train, 1 validation, 2 calibration, 3 test |
//! | `record_id_bytes` | (b,) | u8 | UTF-8 of all ids one after the other |
//! | `record_id_offsets` | (n + 1,) | i64 | where each begins and ends |
//!
//! Of pictures, whose numbers are whole and lie from 0 to 255, `pixels` (n, height, width, channels) as u8
//! takes the place of `values`, `observed` and `raw`.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use ndarray::{Array2, ArrayView2};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use sha2::{Digest, Sha256};

use crate::num::hex::hex;
use crate::num::repeated::Repeated;
use crate::random::Seed;
use crate::schema::Split;

use super::key::Copies;
use super::{Encoder, FeatureError, RecordKey, Shape};

/// What a bundle keeps of its tensors in memory; `values` can be drawn again.
pub(super) struct Tensors {
    pub(super) raw: Array2<f64>,
    pub(super) splits: Vec<Split>,
    pub(super) record_ids: Vec<String>,
}

/// Numbers of a block of rows that is written at once.
const BLOCK: usize = 1 << 18;
/// Blocks that wait for being written.
const WAITING: usize = 2;

/// What is written, of n records.
pub(super) struct Contents<'c> {
    pub(super) encoder: &'c Encoder,
    pub(super) shape: &'c Shape,
    /// Of the stored draw.
    pub(super) seed: Seed,
    pub(super) splits: &'c [Split],
    pub(super) id: &'c (dyn Fn(usize) -> &'c str + Sync),
    /// The raw numbers of the records `from..to`.
    pub(super) raw: &'c (dyn Fn(usize, usize) -> Array2<f64> + Sync),
}

impl Contents<'_> {
    /// Writes the file from its beginning to its end, a block of rows after the other, and returns its
    /// SHA-256. Equal contents give equal bytes. `look_at` sees the raw numbers of each block once.
    ///
    /// # Errors
    /// Those of `out`.
    pub(super) fn write(
        &self,
        out: &mut (impl Write + Send),
        look_at: impl FnMut(ArrayView2<'_, f64>) + Send,
    ) -> io::Result<String> {
        let (send, receive) = sync_channel::<Vec<u8>>(WAITING);
        std::thread::scope(|scope| {
            // One thread hashes and writes what this one and its helpers make.
            let writer = scope.spawn(move || {
                let mut hash = Sha256::new();
                for bytes in receive {
                    hash.update(&bytes);
                    out.write_all(&bytes)?;
                }
                out.flush()?;
                Ok(hex(&hash.finalize()))
            });
            // A closed queue means that writing has failed, which the writer tells.
            let _ = self.make(look_at, |bytes| send.send(bytes).is_ok());
            drop(send);
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Hands on the bytes of the file, until `hand_on` returns false or the end is reached. Returns nothing
    /// in the former case.
    fn make(
        &self,
        mut look_at: impl FnMut(ArrayView2<'_, f64>),
        mut hand_on: impl FnMut(Vec<u8>) -> bool,
    ) -> Option<()> {
        let (n, p, d) = (self.splits.len(), self.encoder.n_features(), self.encoder.n_coordinates());
        let rows = (BLOCK / d.max(1)).max(1);
        let blocks = || (0..n).step_by(rows).map(|from| (from, n.min(from + rows)));
        let mut hand_on = |bytes| hand_on(bytes).then_some(());
        let id_bytes: usize = (0..n).map(|i| (self.id)(i).len()).sum();
        hand_on(header(self.shape, n, [p, d], id_bytes))?;
        hand_on(0_i64.to_le_bytes().to_vec())?;
        let mut end = 0;
        for (from, to) in blocks() {
            let ends = (from..to).flat_map(|i| {
                end += (self.id)(i).len() as i64;
                end.to_le_bytes()
            });
            hand_on(ends.collect())?;
        }
        match self.shape {
            Shape::Table | Shape::Windows { .. } => self.make_numbers(&mut look_at, &mut hand_on, rows)?,
            Shape::Grid { .. } => {
                for (from, to) in blocks() {
                    hand_on((self.raw)(from, to).iter().map(|x| *x as u8).collect())?;
                }
            }
        }
        for (from, to) in blocks() {
            hand_on((from..to).flat_map(|i| (self.id)(i).bytes()).collect())?;
        }
        hand_on(self.splits.iter().map(|s| code(*s)).collect())
    }

    /// Hands on the raw numbers, the coordinates and what is observed, in blocks of so many rows.
    fn make_numbers(
        &self,
        look_at: &mut impl FnMut(ArrayView2<'_, f64>),
        hand_on: &mut impl FnMut(Vec<u8>) -> Option<()>,
        rows: usize,
    ) -> Option<()> {
        let (n, d) = (self.splits.len(), self.encoder.n_coordinates());
        let blocks = || (0..n).step_by(rows).map(|from| (from, n.min(from + rows)));
        let mut short = Repeated::default();
        for (from, to) in blocks() {
            let raw = (self.raw)(from, to);
            look_at(raw.view());
            RecordKey::by_content(raw.view()).iter().for_each(|key| short.insert(key.short()));
            hand_on(raw.iter().flat_map(|x| canonical(*x).to_le_bytes()).collect())?;
        }
        let mut copies = Copies::among(short.found());
        let streams = self.seed.keyed("encode", 0);
        for (from, to) in blocks() {
            let raw = (self.raw)(from, to);
            let keys = copies.tell_apart(raw.view(), RecordKey::by_content(raw.view()));
            let mut values = vec![0.0; (to - from) * d];
            self.encoder.draw(raw.view(), &keys, streams, &mut values);
            hand_on(values.into_iter().flat_map(f32::to_le_bytes).collect())?;
        }
        for (from, to) in blocks() {
            let mut observed = vec![1; (to - from) * d];
            for (observed, raw) in observed.chunks_exact_mut(d.max(1)).zip((self.raw)(from, to).rows()) {
                observed.iter_mut().zip(raw).for_each(|(o, x)| *o = u8::from(!x.is_nan()));
            }
            hand_on(observed)?;
        }
        Some(())
    }
}

/// The length of the description of the tensors, and the description, as the library's own writer has them.
fn header(shape: &Shape, n: usize, [p, d]: [usize; 2], id_bytes: usize) -> Vec<u8> {
    // By falling size of their numbers, then by name.
    let mut tensors = vec![("record_id_offsets", Dtype::I64, vec![n + 1])];
    match *shape {
        Shape::Table | Shape::Windows { .. } => tensors.extend([
            ("raw", Dtype::F64, vec![n, p]),
            ("values", Dtype::F32, vec![n, d]),
            ("observed", Dtype::U8, vec![n, d]),
        ]),
        Shape::Grid { height, width, channels, .. } => {
            tensors.push((PIXELS, Dtype::U8, vec![n, height, width, channels]));
        }
    }
    tensors.extend([("record_id_bytes", Dtype::U8, vec![id_bytes]), ("split", Dtype::U8, vec![n])]);
    let mut end = 0;
    let described = tensors.into_iter().map(|(name, dtype, shape)| {
        let begin = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name.to_owned(), TensorInfo { dtype, shape, data_offsets: (begin, end) })
    });
    let metadata =
        Metadata::new(None, described.collect()).expect("invariant: every tensor begins where one ends");
    let mut json = serde_json::to_vec(&metadata).expect("invariant: numbers and plain names");
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut json);
    bytes
}

/// One bit pattern for "missing".
fn canonical(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

fn code(split: Split) -> u8 {
    Split::ALL.iter().position(|s| *s == split).expect("invariant: ALL lists every split") as u8
}

/// The tensor of pictures.
pub(super) const PIXELS: &str = "pixels";

/// Reads and checks the file at `path` with contents `bytes` against the manifest's `n` records, their shape
/// and `encoder`.
pub(super) fn from_bytes(
    path: &Path,
    bytes: &[u8],
    n: usize,
    record: &Shape,
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
    let raw: Vec<f64> = match *record {
        Shape::Table | Shape::Windows { .. } => {
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
            raw
        }
        Shape::Grid { height, width, channels, levels } => {
            if height * width * channels != p || d != p {
                return Err(damaged(format!(
                    "pictures of {height} × {width} × {channels} numbers have not the {p} columns of the manifest"
                )));
            }
            let pixels = tensor(PIXELS, Dtype::U8, Some(&[n, height, width, channels]))?;
            if let Some(i) = pixels.iter().position(|level| u32::from(*level) >= levels) {
                return Err(damaged(format!(
                    "tensor `{PIXELS}` has a level beyond the {levels} of the manifest in record {}",
                    i / p + 1
                )));
            }
            pixels.iter().map(|level| f64::from(*level)).collect()
        }
    };
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

/// The first column, and the row there, whose number is none that the encoder could have written: an
/// infinity, or no code of a level.
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
