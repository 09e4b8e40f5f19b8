//! Pictures → one row of whole numbers each.
//!
//! ```text
//! stream   files that end too early
//! source   what an input is, and which file holds which pictures
//! idx      files of the MNIST family                 npy      arrays of NumPy, one at a time
//! zip      the members of an .npz                     arrays   arrays with their labels and splits
//! decode   PNG, JPEG and TIFF, looked at before they are decoded
//! folder   files in folders or in a CSV               sheet    many pictures in one file
//! fit      size, grey, levels                         copies   pictures that nearly are one
//! gather   all of them, with what became of the others
//! table    splits, subjects, one column per number     map      a picture beside where it is unlikely
//! contact  several pictures on one sheet
//! survey   what an input holds, before it is read
//! ```
//!
//! A header is believed only after it was held against what is allowed and what the file holds, so that a
//! file of a kilobyte cannot ask for a gigabyte.

mod arrays;
mod contact;
mod copies;
mod decode;
mod error;
mod fit;
mod folder;
mod gather;
mod idx;
mod map;
mod npy;
mod sheet;
mod source;
mod stream;
mod survey;
mod table;
mod tiff_pages;
mod zip;

pub use contact::{Sheet, Tile, contact_sheet};
pub use error::PictureError;
pub use map::{Shown, heat_map_png};
pub use survey::{Survey, survey};
pub use table::{ReadPictures, read_pictures};

use crate::error::Refusal;
use crate::schema::Split;

/// A picture as it was read, with eight bits a number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Picture {
    /// Rows, pixels of a row, numbers of a pixel.
    size: [usize; 3],
    /// Row after row, pixel after pixel, channel after channel.
    values: Vec<u8>,
}

/// What is known of a picture besides its pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct About {
    name: String,
    patient: Option<String>,
    label: Option<String>,
    split: Option<Split>,
}

/// Why a picture is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Reason {
    Unreadable,
    Dicom,
    TooLarge,
    Cmyk,
    Transparent,
    Frames,
    Depth,
    Range,
    Size,
    Channels,
    Flat,
    Unlisted,
    LeadsOut,
    LeadsNowhere,
    NotAFile,
    NotNormal,
}

impl Reason {
    /// As the audit counts it.
    const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "cannot be decoded",
            Self::Dicom => "is a DICOM file, which is not read",
            Self::TooLarge => "has more pixels than are allowed",
            Self::Cmyk => "has the four inks of a printer (CMYK)",
            Self::Transparent => "is transparent in parts",
            Self::Frames => "has several frames or pages",
            Self::Depth => "has more than 8 bits a number",
            Self::Range => "has numbers outside the declared range",
            Self::Size => "has another size or shape",
            Self::Channels => "has another number of channels",
            Self::Flat => "has the same number everywhere",
            Self::Unlisted => "is not in the CSV of the folder",
            Self::LeadsOut => "is a link that leads out of the folder",
            Self::LeadsNowhere => "is a link that leads nowhere",
            Self::NotAFile => "is a pipe or a device and no file",
            Self::NotNormal => "has another label than the normal one",
        }
    }

    const fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::LeadsOut => Self::LeadsOut,
            Refusal::LeadsNowhere => Self::LeadsNowhere,
            // A listing does not tell of changes, which are errors.
            Refusal::NotAFile | Refusal::Changed => Self::NotAFile,
        }
    }

    /// What a user can do about it.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Unreadable => "fetch the files again, or remove them",
            Self::Dicom => "convert them to PNG first, for example by dcmj2pnm or pydicom with Pillow",
            Self::TooLarge => "make them smaller before they are read",
            Self::Cmyk => "convert them to RGB or to grey first",
            Self::Transparent => "put them on a background first",
            Self::Frames => "save the one frame that is meant as a file of its own",
            Self::Depth => "say by --set range=BLACK,WHITE which numbers are black and white",
            Self::Range => "--set range=BLACK,WHITE has to hold all numbers",
            Self::Size => {
                "--set size=32 brings all of one shape to one size; --set crop=true cuts the middle out"
            }
            Self::Channels => "--set grey=true makes all of them grey",
            Self::Flat => "nothing can be seen on them",
            Self::Unlisted => "list them, or remove the CSV to take labels from the folders",
            Self::LeadsOut => Refusal::LeadsOut.remedy(),
            Self::LeadsNowhere => Refusal::LeadsNowhere.remedy(),
            Self::NotAFile => "put ordinary files in their place",
            Self::NotNormal => "those of the test split are kept",
        }
    }
}

#[cfg(test)]
mod tests;
