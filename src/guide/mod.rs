//! The user guide. Each page is a Markdown file of this folder, shown here by rustdoc and readable on its
//! own.
//!
//! | page | question |
//! | --- | --- |
//! | [`your_file`] | What does cohort-flow do with an unusual file, cell or name? |
//! | [`any_table`] | How do I use a table of my own? |
//! | [`mimic3`] | How do I get from a MIMIC-III extract to features? |
//! | [`databases`] | How do I read MIMIC-IV, eICU, OMOP, MEDS or a database of my own? |
//! | [`scores`] | How do I get severity scores and outcomes, and what do missing parts mean? |
//! | [`own_hospital`] | How do I read a database that no schema describes? |
//! | [`time_windows`] | How do I make one record per hour, derive variables, and follow one value to its rows? |
//! | [`signals`] | How do I work with bedside waveforms? |
//! | [`pictures`] | How do I find unusual pictures, and where they are unusual? |
//! | [`models`] | Which model does `fit` make, and how good is it? |
//! | [`outliers`] | What does a flag mean, and how good are flags? |
//! | [`report`] | What does the report show, and what does it withhold? |
//! | [`large_data`] | How large may the files be, and how fast is it? |
//! | [`python`] | How do I use it from Python, with pandas and scikit-learn? |
//! | [`serve`] | How does another program ask a model that stays loaded? |
//! | [`security`] | Who may see which output, and what happens to hostile files and interrupted runs? |
//! | [`library`] | How do I use cohort-flow as a library? |
//! | [`numbers`] | What do the numbers mean, and what does each file hold? |

#[doc = include_str!("any-table.md")]
pub mod any_table {}

#[doc = include_str!("databases.md")]
pub mod databases {}

#[doc = include_str!("own-hospital.md")]
pub mod own_hospital {}

#[doc = include_str!("large-data.md")]
pub mod large_data {}

#[doc = include_str!("library.md")]
pub mod library {}

#[doc = include_str!("mimic3.md")]
pub mod mimic3 {}

#[doc = include_str!("models.md")]
pub mod models {}

#[doc = include_str!("numbers.md")]
pub mod numbers {}

#[doc = include_str!("outliers.md")]
pub mod outliers {}

#[doc = include_str!("pictures.md")]
pub mod pictures {}

#[doc = include_str!("python.md")]
pub mod python {}

#[doc = include_str!("report.md")]
pub mod report {}

#[doc = include_str!("scores.md")]
pub mod scores {}
#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("serve.md")]
pub mod serve {}

#[doc = include_str!("signals.md")]
pub mod signals {}

#[doc = include_str!("time-windows.md")]
pub mod time_windows {}

#[doc = include_str!("your-file.md")]
pub mod your_file {}
