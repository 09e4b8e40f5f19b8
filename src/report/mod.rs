//! One self-contained HTML file: can the model be trusted, what does the cohort look like, how do the models
//! compare, which records are odd and why.
//!
//! [`collect`] computes from a bundle and its models what [`data`] holds, every number the page prints;
//! [`figure`] draws (pure functions from data to SVG) and [`render`] fills the templates of `reports/`. The
//! page loads nothing, is complete without JavaScript, and equal data give equal bytes. What may be said
//! about few people is decided in one place, [`Privacy`].

mod collect;
pub mod data;
mod error;
pub mod figure;
mod format;
mod homogeneity;
mod html;
mod measure;
mod privacy;
mod ranks;

pub use collect::{
    CohortOf, Flagged, GroupColumn, Older, OlderModel, Outcome, ReportOptions, Reviewed, apart, collect,
    marginals, missing_values, p_value_shares,
};
pub use data::ReportData;
pub use error::ReportError;
pub use html::{figure_page, figure_svg, render, to_json};
pub use privacy::{Cell, MINIMUM_CELL, Part, Privacy};
