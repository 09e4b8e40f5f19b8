//! The records of pictures: subjects, splits, and a column for every number.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::copies::{Copies, copies};
use super::gather::{Gathered, gather};
use super::{PictureError, Reason, source};
use crate::features::{assign_split, assign_subjects};
use crate::ingest::{Audit, Cells, CohortStep, Column, RecordTable, Spelling, Subjects, TableAudit, Texts};
use crate::message::{Message, Weight, counted, plural};
use crate::schema::{Grid, Kind, Pipeline, Split, SplitFractions};

/// Reads the pictures of `input`, which is a file of arrays, a folder, or a sheet. Returns them with the
/// settings that state their size. The number of channel c of pixel (row, column) is called `p[row,column]`,
/// of coloured pictures `p[row,column].red`.
///
/// # Errors
/// [`PictureError`]; [`PictureError::Nothing`] with the counts when no picture is left.
pub fn read_pictures(
    pipeline: &Pipeline,
    settings: &Grid,
    input: &Path,
) -> Result<ReadPictures, PictureError> {
    let mut all = gather(source::open(input, settings)?, settings)?;
    let mut messages = std::mem::take(&mut all.messages);
    let read = all.n_read();
    if all.about.is_empty() {
        return Err(nothing(&all));
    }
    let found = copies(&all.pixels, all.size);
    let mut subjects = subjects(&all, &found);
    let mut splits = splits(&all, &subjects, pipeline, &mut messages)?;
    messages.extend(of_copies(&found, &splits));
    messages.extend(two_sides(&all, &splits));
    let copies = of_each_copy(&found, &all);
    if let Some(normal) = &settings.normal {
        keep_normals(&mut all, normal, &mut [&mut subjects], &mut splits)?;
    }
    messages.extend(without_patients(&all));
    messages.splice(0..0, all.told(false));
    let steps = steps(read, &all);
    let [height, width, channels] = all.size;
    let grid = Grid { height, width, channels, ..settings.clone() };
    let dropped = all.left_out.iter().map(|(reason, names)| (reason.name().to_owned(), names.len() as u64));
    let audit = Audit {
        inputs: std::mem::take(&mut all.inputs),
        cohort: steps,
        tables: vec![TableAudit {
            table: "pictures".into(),
            rows_read: read as u64,
            rows_kept: all.about.len() as u64,
            dropped: dropped.collect(),
        }],
        messages: messages.into(),
        ..Audit::default()
    };
    let mut listed: Vec<[String; 3]> = Vec::new();
    for (reason, names) in &all.left_out {
        listed.extend(names.iter().map(|name| [name.clone(), reason.name().to_owned(), String::new()]));
    }
    listed.extend(copies);
    Ok(ReadPictures {
        table: RecordTable {
            record_ids: all.about.iter().map(|about| about.name.as_str()).collect(),
            subjects: Subjects::Named(subjects.into_iter().map(Some).collect()),
            splits: Some(splits),
            columns: columns(&all.pixels, &grid),
            labels: labels(&all),
            audit,
        },
        grid,
        listed,
    })
}

/// Pictures with what became of the others.
#[derive(Debug)]
pub struct ReadPictures {
    /// One row per picture that is kept.
    pub table: RecordTable,
    /// The settings with the size of the pictures.
    pub grid: Grid,
    /// Names of pictures that are left out or copies, with the reason, and with what they are copies of.
    pub listed: Vec<[String; 3]>,
}

/// Each copy, and what it is a copy of.
fn of_each_copy(found: &Copies, all: &Gathered) -> Vec<[String; 3]> {
    let copies = found.first.iter().enumerate().filter(|(i, first)| i != *first);
    let name = |i: usize| all.about[i].name.clone();
    copies.map(|(i, first)| [name(i), "is a copy, or nearly so".to_owned(), name(*first)]).collect()
}

fn nothing(all: &Gathered) -> PictureError {
    let why: Vec<String> = all.told(true).iter().map(ToString::to_string).collect();
    let most = all.left_out.iter().max_by_key(|(_, names)| names.len());
    PictureError::Nothing {
        why: why.join("; "),
        hint: most.map_or_else(String::new, |(reason, _)| reason.remedy().to_owned()),
    }
}

/// Whom each picture is about: its patient, or itself; copies are about one.
fn subjects(all: &Gathered, found: &Copies) -> Vec<String> {
    // Patients one of whose pictures is a copy of one of another patient are joined.
    let own = |i: usize| all.about[i].patient.clone().unwrap_or_else(|| all.about[i].name.clone());
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    let last = |joined: &BTreeMap<String, String>, mut name: String| {
        while let Some(next) = joined.get(&name) {
            name.clone_from(next);
        }
        name
    };
    for (i, &first) in found.first.iter().enumerate().filter(|(i, first)| i != *first) {
        let (one, other) = (last(&joined, own(i)), last(&joined, own(first)));
        if one != other {
            joined.insert(one, other);
        }
    }
    (0..all.about.len()).map(|i| last(&joined, own(i))).collect()
}

/// The split of each picture: that of its subject, or the declared one, with what is lacking made of what
/// there is.
fn splits(
    all: &Gathered,
    subjects: &[String],
    pipeline: &Pipeline,
    messages: &mut Vec<Message>,
) -> Result<Vec<Split>, PictureError> {
    let declared: Vec<Split> = all.about.iter().filter_map(|about| about.split).collect();
    if declared.is_empty() {
        return Ok(assign_subjects(subjects.iter().map(String::as_str), pipeline).0);
    }
    if declared.len() < all.about.len() {
        let without = all.about.len() - declared.len();
        return Err(PictureError::Setting {
            message: format!(
                "{} a split, and {without} {} none",
                counted(declared.len(), "picture states", "pictures state"),
                plural(without, "states", "state")
            ),
            hint: "give all of them one, in the names of their folders or arrays or in the CSV, or none"
                .into(),
        });
    }
    // The training half of a published set is often kept without the other.
    if let Some(only) = declared.first().filter(|first| declared.iter().all(|split| split == *first)) {
        let text = format!(
            "all pictures declare the {} split, which divides nothing: they are divided by the hash of the patient, \
             in the shares of the pipeline",
            only.name()
        );
        messages.push(Message::records(Weight::Choice, text).counting(declared.len()));
        return Ok(assign_subjects(subjects.iter().map(String::as_str), pipeline).0);
    }
    let has = |split| declared.contains(&split);
    let shares = &pipeline.split;
    // What is lacking comes out of the training pictures, or where there are validation pictures, out of
    // those.
    let (from, fractions) = match (has(Split::Validation), has(Split::Calibration)) {
        (true, true) => return Ok(declared),
        (true, false) => (
            Split::Validation,
            SplitFractions {
                train: 0.0,
                validation: shares.validation,
                calibration: shares.calibration,
                test: 0.0,
            },
        ),
        (false, calibration) => (
            Split::Train,
            SplitFractions {
                calibration: if calibration { 0.0 } else { shares.calibration },
                test: 0.0,
                ..*shares
            },
        ),
    };
    let divided: Vec<Split> = declared
        .iter()
        .zip(subjects)
        .map(
            |(&split, subject)| {
                if split == from { assign_split(subject, pipeline.seed, &fractions) } else { split }
            },
        )
        .collect();
    let lacking: Vec<&str> =
        [Split::Validation, Split::Calibration].into_iter().filter(|s| !has(*s)).map(Split::name).collect();
    let n = declared.iter().zip(&divided).filter(|(a, b)| a != b).count();
    let text = format!(
        "the pictures declare no {} split: {} of the {} split {} it by the hash of the patient, in the \
         shares of the pipeline",
        lacking.join(" and no "),
        counted(n, "picture", "pictures"),
        from.name(),
        plural(n, "makes", "make")
    );
    messages.push(Message::records(Weight::Choice, text).counting(n));
    Ok(divided)
}

/// What to say of copies: that they are kept together, or on how many sides they are.
fn of_copies(found: &Copies, splits: &[Split]) -> Option<Message> {
    let copies = || found.first.iter().enumerate().filter(|(i, first)| i != *first);
    let n = copies().count();
    if n == 0 {
        return None;
    }
    let apart = copies().filter(|(i, first)| splits[*i] != splits[**first]).count();
    let kinds = format!("{} exact, {} nearly so (correlation of at least 0.99)", found.exact, found.near);
    let text = format!(
        "{} of another picture: {kinds}, named in pictures.csv of the bundle; ",
        counted(n, "picture is a copy", "pictures are copies")
    );
    Some(if apart == 0 {
        Message::records(Weight::Choice, text + "copies are kept in one split").counting(n)
    } else {
        let sides = format!(
            "{apart} of them {} in another split than the original, since the splits are declared",
            plural(apart, "is", "are")
        );
        Message::records(Weight::Leak, text + &sides).counting(apart)
    })
}

/// Patients that declared splits divide.
fn two_sides(all: &Gathered, splits: &[Split]) -> Option<Message> {
    let mut first: BTreeMap<&str, Split> = BTreeMap::new();
    let mut divided: Vec<&str> = Vec::new();
    for (about, split) in all.about.iter().zip(splits) {
        let Some(patient) = about.patient.as_deref() else { continue };
        if *first.entry(patient).or_insert(*split) != *split && !divided.contains(&patient) {
            divided.push(patient);
        }
    }
    (!divided.is_empty()).then(|| {
        let text = format!(
            "{} in more than one split, as the splits are declared: likelihoods of held-out pictures are \
             then not those of new patients",
            counted(divided.len(), "patient has pictures", "patients have pictures")
        );
        Message::records(Weight::Leak, text).counting(divided.len())
    })
}

/// Leaves out the pictures with another label than the normal one, but for those of the test split.
fn keep_normals(
    all: &mut Gathered,
    normal: &str,
    beside: &mut [&mut Vec<String>],
    splits: &mut Vec<Split>,
) -> Result<(), PictureError> {
    let is_normal = |label: Option<&str>| label == Some(normal);
    if !all.about.iter().any(|about| is_normal(about.label.as_deref())) {
        let mut labels: Vec<&str> = all.about.iter().filter_map(|about| about.label.as_deref()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels.truncate(20);
        return Err(PictureError::Setting {
            message: format!("no picture has the label `{normal}`"),
            hint: if labels.is_empty() {
                "the pictures have no labels".into()
            } else {
                format!("labels are {}", labels.join(", "))
            },
        });
    }
    let gone = all.leave_out_if(Reason::NotNormal, |i, about| {
        splits[i] != Split::Test && !is_normal(about.label.as_deref())
    });
    let mut flags = gone.iter();
    splits.retain(|_| !flags.next().expect("invariant: one flag per picture"));
    for texts in beside {
        let mut flags = gone.iter();
        texts.retain(|_| !flags.next().expect("invariant: one flag per picture"));
    }
    Ok(())
}

fn without_patients(all: &Gathered) -> Option<Message> {
    let n = all.about.iter().filter(|about| about.patient.is_none()).count();
    (n > 0).then(|| {
        let text = format!(
            "no patient is named of {}, each of which counts as one: if patients have several pictures, name \
             them in a CSV (file, patient)",
            counted(n, "picture", "pictures")
        );
        Message::records(Weight::Choice, text).counting(n)
    })
}

/// Pictures before and after each reason to leave some out.
fn steps(read: usize, all: &Gathered) -> Vec<CohortStep> {
    let mut steps =
        vec![CohortStep { rule: "all pictures".into(), before: read, after: read, failed_null: 0 }];
    let mut left = read;
    for (reason, names) in &all.left_out {
        let before = left;
        left -= names.len();
        let rule = format!("without those each of which {}", reason.name());
        steps.push(CohortStep { rule, before, after: left, failed_null: 0 });
    }
    steps
}

/// Most different labels that have a column each.
const MOST_LABELS: usize = 20;

/// The labels as they are, and of a few different ones whether a picture has each of them.
fn labels(all: &Gathered) -> Vec<Column> {
    let texts: Texts = all.about.iter().map(|about| about.label.as_deref()).collect();
    let mut names: Vec<String> = texts.levels().map(str::to_owned).collect();
    names.sort();
    if names.is_empty() {
        return Vec::new();
    }
    let of_each = |name: &String| {
        let is = |text: Option<&str>| text.map_or(f64::NAN, |text| f64::from(u8::from(text == name)));
        let cells: Vec<f64> = texts.iter().map(is).collect();
        label(&format!("label_{name}"), Kind::Binary, Cells::Number(cells.into()))
    };
    let each: Vec<Column> =
        if names.len() <= MOST_LABELS { names.iter().map(of_each).collect() } else { Vec::new() };
    std::iter::once(label("label", Kind::Categorical, Cells::Text(texts))).chain(each).collect()
}

fn label(name: &str, kind: Kind, cells: Cells) -> Column {
    Column {
        name: name.to_owned(),
        label: name.to_owned(),
        group: String::new(),
        unit: String::new(),
        kind,
        resolution: None,
        range: None,
        spelling: Spelling::undeclared(),
        cells,
    }
}

/// Names of the channels of coloured pictures.
const COLOURS: [&str; 3] = ["red", "green", "blue"];

fn columns(pixels: &[u8], grid: &Grid) -> Vec<Column> {
    let d = grid.n_numbers();
    let digits = |n: usize| (n - 1).to_string().len().max(2);
    let (of_row, of_column) = (digits(grid.height), digits(grid.width));
    let column = |j: usize| {
        let (pixel, channel) = (j / grid.channels, j % grid.channels);
        let (row, column) = (pixel / grid.width, pixel % grid.width);
        let mut name = format!("p[{row:0of_row$},{column:0of_column$}]");
        if grid.channels > 1 {
            name = format!("{name}.{}", COLOURS[channel % COLOURS.len()]);
        }
        let values: Vec<f64> = pixels.iter().skip(j).step_by(d).map(|level| f64::from(*level)).collect();
        Column {
            label: name.clone(),
            name,
            group: "pixels".into(),
            unit: String::new(),
            kind: Kind::Count,
            resolution: Some(1.0),
            range: Some((0.0, f64::from(grid.levels) - 1.0)),
            spelling: Spelling::undeclared(),
            cells: Cells::Number(values.into()),
        }
    };
    (0..d).into_par_iter().map(column).collect()
}
