//! Figures: pure functions from report data to a drawing and the numbers behind it.

mod axes;
mod calibration;
mod cohort;
mod cost;
mod drift;
mod heat;
mod learned;
mod learning;
mod likelihood;
mod marginal;
mod missing;
mod pictures;
mod theme;
mod waveform;

pub(crate) use theme::number_drawings;

use serde::Serialize;

pub use calibration::{p_values, quantiles, regions};
pub use cohort::flow;
pub use cost::training_time;
pub use drift::{drifted_likelihood, drifts};
pub use heat::correlation;
pub use learned::learned;
pub use learning::learning_curve;
pub use likelihood::{by_split, differences, held_out};
pub use marginal::marginal;
pub use missing::missing;
pub use pictures::{PictureFigures, pictures};
pub use waveform::{odd_window, over_time, spectrum, traces};

/// A drawing with the table a reader can check it against.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Short name, also the drawing's accessible name.
    pub title: String,
    /// What is drawn, in a sentence.
    pub description: String,
    /// The drawing, safe to put into HTML.
    pub svg: String,
    /// The numbers drawn.
    pub table: DataTable,
}

/// Text cells under headings.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DataTable {
    /// Headings.
    pub columns: Vec<String>,
    /// One cell per heading; the first names the row.
    pub rows: Vec<Vec<String>>,
}

impl DataTable {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: Vec::new() }
    }
}
