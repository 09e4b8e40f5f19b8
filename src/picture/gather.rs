//! All pictures of an input, brought to one size, with what became of the others.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::arrays::{self, Array};
use super::fit::Target;
use super::folder::{self, Listed};
use super::sheet;
use super::source::Source;
use super::{About, Picture, PictureError, Reason, decode};
use crate::ingest::InputFile;
use crate::message::{Message, Weight, counted};
use crate::plain_file::Watch;
use crate::schema::Grid;

/// Files that are decoded together.
const TOGETHER: usize = 256;
/// Names listed in a sentence; more are counted.
const NAMED: usize = 5;

/// The pictures that are kept, and the others.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Rows, pixels of a row, channels.
    pub(super) size: [usize; 3],
    /// Of each picture.
    pub(super) about: Vec<About>,
    /// The levels of all pictures, one behind the other.
    pub(super) pixels: Vec<u8>,
    /// Names of those left out.
    pub(super) left_out: BTreeMap<Reason, Vec<String>>,
    /// What else there is to say.
    pub(super) messages: Vec<Message>,
    /// Files read.
    pub(super) inputs: Vec<InputFile>,
}

impl Gathered {
    fn new(size: [usize; 3], messages: Vec<Message>) -> Self {
        Self {
            size,
            about: Vec::new(),
            pixels: Vec::new(),
            left_out: BTreeMap::new(),
            messages,
            inputs: Vec::new(),
        }
    }

    fn take(&mut self, about: About, levels: Result<Vec<u8>, Reason>) {
        match levels {
            Ok(levels) => {
                self.about.push(about);
                self.pixels.extend(levels);
            }
            Err(reason) => self.leave_out(reason, about.name),
        }
    }

    fn leave_out(&mut self, reason: Reason, name: String) {
        self.left_out.entry(reason).or_default().push(name);
    }

    /// Leaves out the pictures that a test is true of.
    pub(super) fn leave_out_if(&mut self, reason: Reason, is: impl Fn(usize, &About) -> bool) -> Vec<bool> {
        let d: usize = self.size.iter().product();
        let gone: Vec<bool> = self.about.iter().enumerate().map(|(i, about)| is(i, about)).collect();
        let mut kept = 0;
        for (i, _) in gone.iter().enumerate().filter(|(_, gone)| !**gone) {
            self.pixels.copy_within(i * d..(i + 1) * d, kept * d);
            kept += 1;
        }
        self.pixels.truncate(kept * d);
        let mut flags = gone.iter();
        let all = std::mem::take(&mut self.about);
        for about in all {
            if *flags.next().expect("invariant: one flag per picture") {
                self.leave_out(reason, about.name);
            } else {
                self.about.push(about);
            }
        }
        gone
    }

    /// Pictures that were found.
    pub(super) fn n_read(&self) -> usize {
        self.about.len() + self.left_out.values().map(Vec::len).sum::<usize>()
    }

    /// A sentence for each reason, with a few names where these are `named`. Names of pictures are often
    /// those of patients: what goes into the audit, and from there into reports, has none.
    pub(super) fn told(&self, named: bool) -> Vec<Message> {
        let sentence = |(reason, names): (&Reason, &Vec<String>)| {
            let some: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
            let more = match names.len() - some.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let text = format!(
                "{} left out, each of which {}{}; {}",
                counted(names.len(), "picture is", "pictures are"),
                reason.name(),
                if named { format!(": {}{more}", some.join(", ")) } else { String::new() },
                reason.remedy()
            );
            Message::records(Weight::LeftOut, text).counting(names.len())
        };
        self.left_out.iter().map(sentence).collect()
    }
}

/// Reads all pictures of a source.
///
/// # Errors
/// [`PictureError`]; pictures of a folder that cannot be used are left out instead.
pub(super) fn gather(source: Source, settings: &Grid) -> Result<Gathered, PictureError> {
    match source {
        Source::Arrays(files) => of_arrays(&files, settings),
        Source::Folder(folder) => of_folder(folder::list(&folder)?, settings),
        Source::Sheets(files) => {
            let usual = sheet::size(files[0].path(), settings)?;
            let mut all = Gathered::new(Target::of(usual, settings)?.size, Vec::new());
            let target = Target::of(usual, settings)?;
            for file in &files {
                for (about, picture) in sheet::cut(file.path(), settings)? {
                    all.take(about, target.apply(&picture));
                }
                all.inputs.push(InputFile::of_watched(file)?);
            }
            Ok(all)
        }
    }
}

fn of_arrays(files: &[Watch], settings: &Grid) -> Result<Gathered, PictureError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path().to_path_buf()).collect();
    let (mut parts, messages) = arrays::open(&paths)?;
    let usual = arrays::size(&parts)?;
    let target = Target::of(usual, settings)?;
    let mut all = Gathered::new(target.size, messages);
    for part in &mut parts {
        read_array(part, usual, &target, settings, &mut all)?;
    }
    for file in files {
        all.inputs.push(InputFile::of_watched(file)?);
    }
    Ok(all)
}

/// Reads an array, several pictures at a time.
fn read_array(
    part: &mut Array,
    size: [usize; 3],
    target: &Target,
    settings: &Grid,
    all: &mut Gathered,
) -> Result<(), PictureError> {
    let mut from = 0;
    while from < part.n {
        let n = TOGETHER.min(part.n - from);
        let pictures = part.read(n, size, settings.range)?;
        let levels: Vec<Result<Vec<u8>, Reason>> = pictures
            .into_par_iter()
            .map(|picture| picture.and_then(|values| target.apply(&Picture { size, values })))
            .collect();
        for (i, levels) in levels.into_iter().enumerate() {
            all.take(part.about(from + i), levels);
        }
        from += n;
    }
    part.finish()
}

pub(super) fn of_folder(listed: Listed, settings: &Grid) -> Result<Gathered, PictureError> {
    let headers: Vec<Result<decode::Header, Reason>> =
        listed.files.par_iter().map(|(file, _)| decode::header(file.path())).collect();
    let Some(usual) = most(headers.iter().flatten().map(|header| header.size)) else {
        let mut all = Gathered::new([0; 3], listed.messages);
        for (name, reason) in listed.left_out {
            all.leave_out(reason, name);
        }
        for ((_, about), header) in listed.files.into_iter().zip(headers) {
            all.take(about, header.map(|_| Vec::new()));
        }
        return Ok(all);
    };
    let target = Target::of(usual, settings)?;
    let mut all = Gathered::new(target.size, listed.messages);
    for (name, reason) in listed.left_out {
        all.leave_out(reason, name);
    }
    for (files, headers) in listed.files.chunks(TOGETHER).zip(headers.chunks(TOGETHER)) {
        let levels: Vec<Result<Vec<u8>, Reason>> = files
            .par_iter()
            .zip(headers)
            .map(|((file, _), header)| {
                (*header)?;
                target.apply(&decode::decode(file.path(), settings.range)?)
            })
            .collect();
        for ((_, about), levels) in files.iter().zip(levels) {
            all.take(about.clone(), levels);
        }
    }
    let inputs: Result<Vec<InputFile>, _> =
        listed.files.par_iter().map(|(file, _)| InputFile::of_watched(file)).collect();
    all.inputs = inputs?;
    all.inputs.extend(listed.table.as_ref().map(InputFile::of_watched).transpose()?);
    Ok(all)
}

/// The most frequent of some sizes; of equally frequent ones the first that occurs.
pub(super) fn most(sizes: impl Iterator<Item = [usize; 3]>) -> Option<[usize; 3]> {
    let mut counts: Vec<([usize; 3], usize)> = Vec::new();
    for size in sizes {
        match counts.iter_mut().find(|(of, _)| *of == size) {
            Some((_, count)) => *count += 1,
            None => counts.push((size, 1)),
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(size, _)| size)
}
