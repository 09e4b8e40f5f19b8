//! Arrays of pictures, with the labels beside them and the splits in their names.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::decode::eight_bits;
use super::idx::Idx;
use super::npy::{Npy, Wrong};
use super::source::{ending, name, split_of};
use super::stream::{ENDS_EARLY, UNFOLDED, unfolds_too_far};
use super::{About, PictureError, Reason, zip};
use crate::error::IoError;
use crate::message::{Message, Weight};
use crate::plain_file::{self, within};
use crate::schema::Split;

/// Words of the names of arrays that say no more than that they hold pictures, or labels.
const OF_PICTURES: [&str; 8] = ["images", "image", "imgs", "img", "x", "data", "arr", "pictures"];
const OF_LABELS: [&str; 6] = ["labels", "label", "y", "targets", "target", "classes"];

/// An array of pictures, open before its first number.
pub(super) struct Array {
    file: PathBuf,
    /// Its name in the file.
    name: String,
    /// Pictures.
    pub(super) n: usize,
    size: [usize; 3],
    split: Option<Split>,
    labels: Option<Vec<String>>,
    numbers: Numbers,
}

enum Numbers {
    Idx(Idx),
    Npy(Npy<Box<dyn Read>>),
}

/// A member of a file that is no array of pictures.
struct Other {
    name: String,
    n: usize,
    texts: Vec<String>,
}

const SHAPES: &str =
    "pictures have the shape (N, height, width) or (N, height, width, channels), with 1 or 3 channels";

/// Opens the arrays of files.
///
/// # Errors
/// [`PictureError::File`] for a file that is not what it says, of other shapes, or with Python objects.
pub(super) fn open(files: &[PathBuf]) -> Result<(Vec<Array>, Vec<Message>), PictureError> {
    let (mut arrays, mut messages) = (Vec::new(), Vec::new());
    let several = files.len() > 1;
    for file in files {
        match ending(file).as_str() {
            "npz" => of_npz(file, several, &mut arrays, &mut messages)?,
            "npy" => arrays.extend(of_npy(file, several)?),
            _ => arrays.extend(of_idx(file, several)?),
        }
    }
    if arrays.is_empty() {
        return Err(wrong(&files[0], "it holds no array of pictures", SHAPES));
    }
    Ok((arrays, messages))
}

/// The size of the pictures of all arrays.
///
/// # Errors
/// [`PictureError::File`] where they differ.
pub(super) fn size(arrays: &[Array]) -> Result<[usize; 3], PictureError> {
    let first = &arrays[0];
    match arrays.iter().find(|array| array.size != first.size) {
        None => Ok(first.size),
        Some(other) => {
            let text = |[height, width, channels]: [usize; 3]| format!("{height} × {width} × {channels}");
            let message = format!(
                "the pictures of `{}` have {} numbers, and those of `{}` {}",
                first.name,
                text(first.size),
                other.name,
                text(other.size)
            );
            Err(wrong(&other.file, message, "put arrays of one size into a file"))
        }
    }
}

fn wrong(file: &Path, message: impl Into<String>, hint: &str) -> PictureError {
    PictureError::File { file: file.to_path_buf(), message: message.into(), hint: hint.into() }
}

fn io(file: &Path) -> impl FnOnce(std::io::Error) -> PictureError + '_ {
    |e| IoError::on("read", file)(e).into()
}

/// Number and size of the pictures of an array of a shape; nothing for arrays of fewer dimensions.
fn pictures(file: &Path, name: &str, shape: &[usize]) -> Result<Option<(usize, [usize; 3])>, PictureError> {
    let (n, size) = match *shape {
        [n, height, width] => (n, [height, width, 1]),
        [n, height, width, channels] => (n, [height, width, channels]),
        [] | [_] | [_, _] => return Ok(None),
        _ => return Err(wrong(file, format!("`{name}` has the shape {shape:?}"), SHAPES)),
    };
    if n == 0 || size.contains(&0) {
        return Err(wrong(file, format!("`{name}` has the shape {shape:?} and holds no picture"), SHAPES));
    }
    if ![1, 3].contains(&size[2]) {
        let channels_first = [1, 3].contains(&size[0]);
        let hint = if channels_first { "channels come last: numpy.moveaxis(array, 1, -1)" } else { SHAPES };
        return Err(wrong(file, format!("`{name}` has {} channels in the shape {shape:?}", size[2]), hint));
    }
    Ok(Some((n, size)))
}

fn of_idx(file: &Path, several: bool) -> Result<Option<Array>, PictureError> {
    let idx = Idx::open(file)?;
    let name = name(file);
    let Some((n, size)) = pictures(file, &name, &idx.shape)? else {
        if several {
            return Ok(None);
        }
        let message = format!("its shape is {:?}, which are labels and no pictures", idx.shape);
        return Err(wrong(file, message, "name the file of the pictures (idx3), or the folder"));
    };
    let labels = beside(file).map(|labels| idx_labels(&labels, n)).transpose()?.flatten();
    let split = several.then(|| split_of(&name)).flatten();
    Ok(Some(Array { file: file.to_path_buf(), name, n, size, split, labels, numbers: Numbers::Idx(idx) }))
}

/// The file of labels beside one of pictures: `train-labels-idx1-ubyte` beside `train-images-idx3-ubyte`.
fn beside(file: &Path) -> Option<PathBuf> {
    let own = name(file);
    let of_labels = own.replace("images", "labels").replace("idx3", "idx1");
    if of_labels == own {
        return None;
    }
    let plain = of_labels.trim_end_matches(".gz").to_owned();
    [format!("{plain}.gz"), plain].iter().map(|name| file.with_file_name(name)).find(|path| path.is_file())
}

fn idx_labels(file: &Path, n: usize) -> Result<Option<Vec<String>>, PictureError> {
    within(file.parent().unwrap_or(Path::new("")), file)?;
    let mut idx = Idx::open(file)?;
    if idx.shape != [n] {
        let message = format!("it has the shape {:?}, and there are {n} pictures", idx.shape);
        return Err(wrong(file, message, "move it away if it is of other pictures"));
    }
    let mut labels = vec![0; n];
    if !idx.next(&mut labels).map_err(io(file))? {
        return Err(wrong(file, ENDS_EARLY, "the copy is incomplete: fetch the file again"));
    }
    Ok(Some(labels.iter().map(u8::to_string).collect()))
}

fn of_npy(file: &Path, several: bool) -> Result<Option<Array>, PictureError> {
    let opened = plain_file::open(file).map_err(io(file))?;
    let length = opened.metadata().map_err(io(file))?.len();
    let numbers: Box<dyn Read> = Box::new(BufReader::new(opened));
    let npy = Npy::open(numbers).map_err(io(file))?.map_err(|wrong| told(file, None, wrong))?;
    let name = name(file);
    if npy.n_bytes() > length {
        return Err(wrong(file, ENDS_EARLY, "the copy is incomplete: fetch the file again"));
    }
    let Some((n, size)) = pictures(file, &name, &npy.shape)? else {
        if several {
            return Ok(None);
        }
        return Err(wrong(file, format!("its shape is {:?}", npy.shape), SHAPES));
    };
    let split = several.then(|| split_of(&name)).flatten();
    let numbers = Numbers::Npy(npy);
    Ok(Some(Array { file: file.to_path_buf(), name, n, size, split, labels: None, numbers }))
}

fn told(file: &Path, member: Option<&str>, (message, hint): Wrong) -> PictureError {
    let member = member.map_or_else(String::new, |name| format!("`{name}`: "));
    wrong(file, format!("{member}{message}"), hint)
}

fn of_npz(
    file: &Path,
    several: bool,
    arrays: &mut Vec<Array>,
    messages: &mut Vec<Message>,
) -> Result<(), PictureError> {
    let damaged = "the copy is incomplete or damaged: fetch the file again, or save it by numpy.savez";
    let members = zip::members(file).map_err(io(file))?.map_err(|what| wrong(file, what, damaged))?;
    let stored = file.metadata().map_err(io(file))?.len();
    let unpacked = members.iter().fold(0, |sum, member| member.n_bytes().saturating_add(sum));
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for member in &members {
        let bytes = member.open(file).map_err(io(file))?.map_err(|what| wrong(file, what, damaged))?;
        let npy = Npy::open(bytes).map_err(io(file))?.map_err(|w| told(file, Some(&member.name), w))?;
        // Room is made for what the header of an array promises.
        if npy.n_bytes() > member.n_bytes() {
            return Err(wrong(file, format!("`{}`: {ENDS_EARLY}", member.name), damaged));
        }
        if let Some(what) = unfolds_too_far(unpacked, npy.n_entries(), stored) {
            return Err(wrong(file, format!("`{}`: {what}", member.name), UNFOLDED));
        }
        match pictures(file, &member.name, &npy.shape)? {
            Some((n, size)) if npy.is_numeric() => {
                let split = split_of(&member.name);
                let name =
                    if several { format!("{}/{}", name(file), member.name) } else { member.name.clone() };
                let numbers = Numbers::Npy(npy);
                found.push((
                    member.name.clone(),
                    Array { file: file.to_path_buf(), name, n, size, split, labels: None, numbers },
                ));
            }
            _ => others.extend(other(file, &member.name, npy)?),
        }
    }
    for (name, array) in &mut found {
        let fits =
            |other: &Other| other.n == array.n && rest(&other.name, &OF_LABELS) == rest(name, &OF_PICTURES);
        if let Some(at) = others.iter().position(fits) {
            array.labels = Some(others.swap_remove(at).texts);
        }
    }
    if !others.is_empty() {
        others.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<String> = others.iter().map(|other| format!("`{}`", other.name)).collect();
        let text = format!(
            "{} not used: neither pictures nor labels that go with an array of pictures by name and length",
            names.join(", ")
        );
        messages.push(Message::file(Weight::LeftOut, &name(file), text).counting(others.len()));
    }
    arrays.extend(found.into_iter().map(|(_, array)| array));
    Ok(())
}

/// The words of a name but for those of a list.
fn rest(name: &str, without: &[&str]) -> Vec<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !without.contains(&word.as_str())).collect()
}

/// A member with one entry for each picture; nothing for others, which are named all the same.
fn other(file: &Path, name: &str, mut npy: Npy<Box<dyn Read>>) -> Result<Option<Other>, PictureError> {
    let n = npy.shape.first().copied().unwrap_or(0);
    let single = npy.shape.iter().product::<usize>() == n && n > 0;
    let texts = if single {
        let texts = npy.next_texts(n).map_err(io(file))?;
        texts.ok_or_else(|| wrong(file, format!("`{name}`: {ENDS_EARLY}"), "fetch the file again"))?
    } else {
        Vec::new()
    };
    Ok(Some(Other { name: name.to_owned(), n: if single { n } else { 0 }, texts }))
}

impl Array {
    /// Its name in the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its numbers do not say by their type which are black and white.
    pub(super) fn needs_range(&self) -> bool {
        match &self.numbers {
            Numbers::Idx(_) => false,
            Numbers::Npy(npy) => !npy.is_bytes(),
        }
    }

    /// What is known of a picture besides its pixels.
    pub(super) fn about(&self, i: usize) -> About {
        About {
            name: format!("{}[{i}]", self.name),
            patient: None,
            label: self.labels.as_ref().map(|labels| labels[i].clone()),
            split: self.split,
        }
    }

    /// The next `n` pictures, each with eight bits a number.
    ///
    /// # Errors
    /// [`PictureError::File`] where the array ends before, or its numbers need a range that is not declared.
    pub(super) fn read(
        &mut self,
        n: usize,
        size: [usize; 3],
        range: Option<(f64, f64)>,
    ) -> Result<Vec<Result<Vec<u8>, Reason>>, PictureError> {
        let each: usize = size.iter().product();
        let file = self.file.clone();
        let early = || {
            wrong(
                &file,
                format!("`{}`: {ENDS_EARLY}", self.name),
                "the copy is incomplete: fetch the file again",
            )
        };
        let bytes = match &mut self.numbers {
            Numbers::Idx(idx) => {
                let mut bytes = vec![0; n * each];
                idx.next(&mut bytes).map_err(io(&file))?.then_some(bytes)
            }
            Numbers::Npy(npy) if npy.is_bytes() && range.is_none() => {
                npy.next_bytes(n * each).map_err(io(&file))?
            }
            Numbers::Npy(npy) => {
                let Some(range) = range else {
                    return Err(wrong(
                        &file,
                        format!("the numbers of `{}` do not say which are black and white", self.name),
                        "declare them: --set range=0,1 for shares, --set range=0,4095 for 12 bits",
                    ));
                };
                let numbers = npy.next(n * each).map_err(io(&file))?.ok_or_else(early)?;
                let scaled = |picture: &[f64]| picture.iter().map(|x| eight_bits(*x, range)).collect();
                return Ok(numbers.chunks_exact(each).map(scaled).collect());
            }
        };
        let bytes = bytes.ok_or_else(early)?;
        // Whole numbers of one byte in a narrower range than the byte's own.
        let scaled = |picture: &[u8]| match range {
            None => Ok(picture.to_vec()),
            Some(range) => picture.iter().map(|x| eight_bits(f64::from(*x), range)).collect(),
        };
        Ok(bytes.chunks_exact(each).map(scaled).collect())
    }

    /// Checks that nothing follows the last picture of an IDX file, as numbers would if the header were
    /// wrong.
    ///
    /// # Errors
    /// [`PictureError::File`] where something does.
    pub(super) fn finish(&mut self) -> Result<(), PictureError> {
        let at_end = match &mut self.numbers {
            Numbers::Idx(idx) => idx.is_at_end().map_err(io(&self.file))?,
            Numbers::Npy(_) => true,
        };
        if at_end {
            return Ok(());
        }
        let message = format!("more follows the {} pictures that its header promises", self.n);
        Err(wrong(&self.file, message, "the header or the copy is damaged: fetch the file again"))
    }
}
