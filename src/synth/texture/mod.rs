//! Pictures of known entropy, with planted and labelled faults.
//!
//! The texture says which pictures there are, and how many bits they hold on average; no model can be better
//! than that on ordinary pictures. One file of the IDX format holds the pictures, one their labels: 0 for an
//! ordinary picture, and the number of the fault otherwise. `anomalies.csv` lists the faults with the place
//! of each, and `entropy.json` says what the pictures hold. Nothing in them is derived from a patient.
//!
//! A level is written as a byte of [`STEP`] times its number, so that `levels=64` reads the levels back.

mod fault;
mod kind;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::SynthError;
use super::draw::Draw;
use crate::error::IoError;
use crate::output::Staged;
use crate::random::Seed;
use fault::Fault;
use kind::Source;

pub use kind::{TEXTURE_LEVELS, Texture};

/// What a level counts as a byte.
const STEP: u8 = (256 / TEXTURE_LEVELS) as u8;
/// Sides of a picture that are allowed, in pixels.
const SIDES: (usize, usize) = (8, 64);
/// Name of the file of pictures, which their ids begin with.
const PICTURES: &str = "textures-images-idx3-ubyte";
const LABELS: &str = "textures-labels-idx1-ubyte";

/// What to synthesise.
#[derive(Debug, Clone, PartialEq)]
pub struct TextureConfig {
    /// What the pictures are like.
    pub texture: Texture,
    /// Number of pictures, each of a patient of its own.
    pub pictures: u64,
    /// Rows and columns of a picture.
    pub side: usize,
    /// Seed of all random numbers.
    pub seed: Seed,
    /// Share of the pictures in which a fault is planted.
    pub anomaly_fraction: f64,
    /// Whether to replace an existing output folder.
    pub force: bool,
}

/// What was written, as `entropy.json` has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextureSummary {
    /// What the pictures are like.
    pub texture: Texture,
    /// Number of pictures.
    pub pictures: u64,
    /// Pictures with a planted fault.
    pub faults: u64,
    /// Rows and columns of a picture.
    pub side: usize,
    /// Levels of a number.
    pub levels: u32,
    /// Entropy of an ordinary picture in nats.
    pub entropy_nats: f64,
    /// The same in bits for each number.
    pub entropy_bits_per_dimension: f64,
}

/// Writes the pictures into the folder `dir`. The folder appears complete or not at all. `progress` is called
/// with the number of pictures drawn so far.
///
/// # Errors
/// Settings out of range, an existing output without `force`, and a full or read-only disk.
///
/// # Examples
/// ```
/// use cohort_flow::random::Seed;
/// use cohort_flow::synth::{Texture, TextureConfig, synthesize_textures};
///
/// let dir = tempfile::tempdir()?;
/// let config = TextureConfig {
///     texture: Texture::Periodic,
///     pictures: 20,
///     side: 8,
///     seed: Seed(1),
///     anomaly_fraction: 0.1,
///     force: false,
/// };
/// let summary = synthesize_textures(&config, &dir.path().join("pictures"), &|_| {})?;
/// assert!(summary.entropy_bits_per_dimension < 6.0);
/// assert!(dir.path().join("pictures/anomalies.csv").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn synthesize_textures(
    config: &TextureConfig,
    dir: &Path,
    progress: &dyn Fn(u64),
) -> Result<TextureSummary, SynthError> {
    if config.pictures == 0 || u32::try_from(config.pictures).is_err() {
        return Err(SynthError::Pictures(config.pictures));
    }
    if !(0.0..=1.0).contains(&config.anomaly_fraction) {
        return Err(SynthError::AnomalyFraction(config.anomaly_fraction));
    }
    if !(SIDES.0..=SIDES.1).contains(&config.side) {
        return Err(SynthError::Side(config.side));
    }
    let staged = Staged::dir(dir, config.force)?;
    let side = config.side;
    let source = Source::new(config.texture, side);
    let mut pixels = idx_header(&[config.pictures, side as u64, side as u64]);
    let mut labels = idx_header(&[config.pictures]);
    let mut anomalies = String::from("record_id,kind,top,left,height,width\n");
    let mut faults = 0_u64;
    for picture in 0..config.pictures {
        let mut draw = Draw::new(config.seed.stream("synth/texture", picture));
        let mut levels = source.draw(&mut draw);
        // Faults take turns, so that a small folder holds all of them.
        let fault =
            draw.chance(config.anomaly_fraction).then(|| Fault::ALL[faults as usize % Fault::ALL.len()]);
        if let Some(fault) = fault {
            let [top, left, height, width] = fault.plant(&mut levels, side, &mut draw);
            writeln!(anomalies, "{PICTURES}[{picture}],{},{top},{left},{height},{width}", fault.name())
                .expect("invariant: writing to a string cannot fail");
            faults += 1;
        }
        pixels.extend(levels.iter().map(|level| level * STEP));
        labels.push(fault.map_or(0, |fault| 1 + fault as u8));
        if (picture + 1).is_multiple_of(256) || picture + 1 == config.pictures {
            progress(picture + 1);
        }
    }
    let entropy_nats = source.entropy();
    let summary = TextureSummary {
        texture: config.texture,
        pictures: config.pictures,
        faults,
        side,
        levels: TEXTURE_LEVELS,
        entropy_nats,
        entropy_bits_per_dimension: entropy_nats / ((side * side) as f64 * std::f64::consts::LN_2),
    };
    let mut json = serde_json::to_vec_pretty(&summary).expect("invariant: plain struct with text keys");
    json.push(b'\n');
    let files: [(&str, &[u8]); 4] = [
        (PICTURES, &pixels),
        (LABELS, &labels),
        ("anomalies.csv", anomalies.as_bytes()),
        ("entropy.json", &json),
    ];
    for (name, bytes) in files {
        let path = staged.path().join(name);
        fs::write(&path, bytes).map_err(IoError::on("write", &path))?;
    }
    staged.commit()?;
    Ok(summary)
}

/// The header of an IDX file of bytes, whose lengths were held against 32 bits.
fn idx_header(lengths: &[u64]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, lengths.len() as u8];
    lengths.iter().for_each(|length| bytes.extend((*length as u32).to_be_bytes()));
    bytes
}
