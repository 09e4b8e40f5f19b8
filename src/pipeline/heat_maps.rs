//! `flag --maps`: where in a flagged picture likelihood is missing. Each is shown beside its map, and the
//! numbers behind all of them lie in one file.

use std::fs;
use std::path::Path;

use ndarray::Array2;

use super::Error;
use super::patches;
use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::evaluate::score_records_by;
use crate::features::{DrawsBy, Shape};
use crate::grid::GridFlow;
use crate::ingest::{NpzArray, write_npz};
use crate::message::{Message, Weight, counted};
use crate::output::Staged;
use crate::picture::{Shown, heat_map_png};

/// Most pictures that are drawn: a folder of more is looked at by nobody.
const MOST: usize = 500;

/// Noise draws behind the log-likelihood of each version of a picture. They are the same for all versions.
const DRAWS: usize = 4;

/// How the model tells where likelihood is missing.
enum Way<'m> {
    /// Number by number, exactly.
    Numbers(&'m GridFlow),
    /// Patch by patch.
    Patches(&'m ModelArtifact),
}

/// A folder of maps while it is made.
pub(super) struct HeatMaps<'m> {
    way: Way<'m>,
    /// Rows, pixels of a row, channels.
    size: [usize; 3],
    n_levels: u32,
    staged: Staged,
    ids: Vec<String>,
    /// Nats of each number beyond what the model expects of it.
    surplus: Vec<f32>,
    beyond: usize,
}

impl<'m> HeatMaps<'m> {
    /// Begins a folder.
    ///
    /// # Errors
    /// A model of other records than pictures; an existing folder without `force`.
    pub(super) fn begin(model: &'m ModelArtifact, folder: &Path, force: bool) -> Result<Self, Error> {
        let shape = model.header.terms.as_ref().map(|terms| &terms.shape);
        let Some(&Shape::Grid { height, width, channels, levels: n_levels }) = shape else {
            return Err(Error::Usage {
                message: "--maps shows where a picture is unlikely, and the model is not one of pictures"
                    .into(),
                hint: "leave it out, or fit a bundle that the pipeline images made".into(),
            });
        };
        let way = model.pictures().map_or(Way::Patches(model), Way::Numbers);
        let staged = Staged::dir(folder, force)?;
        let size = [height, width, channels];
        Ok(Self { way, size, n_levels, staged, ids: Vec::new(), surplus: Vec::new(), beyond: 0 })
    }

    /// Draws the map of a picture, which is row `row` of its source.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn draw<'v>(
        &mut self,
        row: usize,
        id: &str,
        levels: impl IntoIterator<Item = &'v f64>,
    ) -> Result<(), Error> {
        if self.ids.len() == MOST {
            self.beyond += 1;
            return Ok(());
        }
        let levels: Vec<f64> = levels.into_iter().copied().collect();
        let whole: Vec<u8> = levels.iter().map(|level| *level as u8).collect();
        let surplus: Vec<f32> = match self.way {
            Way::Numbers(flow) => flow.surplus(&whole).into_iter().map(|x| x as f32).collect(),
            Way::Patches(model) => patches::missing(&levels, self.size, |versions| {
                let (density, seed) = (model.density(), model.score_seed());
                score_records_by(DrawsBy::Fixed, density, &model.encoder, versions, DRAWS, seed).log_prob
            }),
        };
        let shown = Shown { size: self.size, levels: &whole, n_levels: self.n_levels, surplus: &surplus };
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = id.chars().map(safe).take(80).collect();
        let path = self.staged.path().join(format!("{:06}-{name}.png", row + 1));
        fs::write(&path, heat_map_png(&shown)).map_err(IoError::on("write", &path))?;
        self.ids.push(id.to_owned());
        self.surplus.extend(surplus);
        Ok(())
    }

    /// Puts the folder into its place. Returns what a user should know.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn finish(self) -> Result<Option<Message>, Error> {
        let d = self.size.iter().product();
        let surplus = Array2::from_shape_vec((self.ids.len(), d), self.surplus)
            .expect("invariant: a map has as many numbers as a picture");
        let arrays = [("record_id", NpzArray::Texts(self.ids)), ("surplus", NpzArray::Single(surplus))];
        write_npz(&self.staged.path().join("maps.npz"), &arrays, false)?;
        self.staged.commit()?;
        Ok((self.beyond > 0).then(|| {
            let text = format!(
                "{} without a map: up to {MOST} are drawn",
                counted(self.beyond, "more record is", "more records are")
            );
            Message::records(Weight::LeftOut, text).counting(self.beyond)
        }))
    }
}
