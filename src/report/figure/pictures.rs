//! Sheets of pictures: an image inside a drawing, which gives it its name, and the table of what is on it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use super::theme::finish;
use super::{DataTable, Figure};
use crate::picture::{Tile, contact_sheet};
use crate::report::data::{Pictures, ShownPicture};
use crate::report::format;

/// Width that a sheet is drawn at, in CSS pixels, as far as whole pixels of the picture allow.
const WIDTH: usize = 640;
/// Pictures in a row of a sheet, and where each has its map beside it.
const ACROSS: (usize, usize) = (8, 4);

/// The sheets of a page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PictureFigures {
    samples: Option<Figure>,
    records: Option<Figure>,
    most_likely: Option<Figure>,
    least_likely: Option<Figure>,
}

/// Draws the sheets there is something to see on.
pub fn pictures(of: &Pictures) -> PictureFigures {
    let held_out = of.held_out.as_ref();
    let order = "Left to right, then top to bottom, as in the table.";
    let maps = "Each picture has its map to the right: black where a pixel is as expected, white where it is \
                a surprise of 8 nats or more.";
    let mapped = |least: &str| {
        let has_map = held_out.is_some_and(|h| h.most_likely.iter().any(|p| p.surplus.is_some()));
        format!("{least} first. {order} {}", if has_map { maps } else { "" }).trim_end().to_owned()
    };
    PictureFigures {
        samples: sheet("Samples of the model", order, of, &of.samples),
        records: held_out.and_then(|h| {
            let description = format!("From the least to the most likely, evenly by rank. {order}");
            sheet("Held-out pictures", &description, of, &h.records)
        }),
        most_likely: held_out
            .and_then(|h| sheet("Most likely pictures", &mapped("Most likely"), of, &h.most_likely)),
        least_likely: held_out
            .and_then(|h| sheet("Least likely pictures", &mapped("Least likely"), of, &h.least_likely)),
    }
}

fn sheet(title: &str, description: &str, of: &Pictures, shown: &[ShownPicture]) -> Option<Figure> {
    if shown.is_empty() {
        return None;
    }
    let tiles: Vec<Tile<'_>> =
        shown.iter().map(|p| Tile { levels: &p.levels, surplus: p.surplus.as_deref() }).collect();
    let across = if tiles.iter().any(|t| t.surplus.is_some()) { ACROSS.1 } else { ACROSS.0 };
    let drawn = contact_sheet([of.height, of.width, of.channels], of.levels, &tiles, across);
    let scale = (WIDTH / drawn.width).max(1);
    let size = ((drawn.width * scale) as u32, (drawn.height * scale) as u32);
    let image = format!(
        "<svg><image width=\"{}\" height=\"{}\" image-rendering=\"pixelated\" \
         href=\"data:image/png;base64,{}\"/></svg>",
        size.0,
        size.1,
        BASE64_STANDARD.encode(&drawn.png)
    );
    let mut table = DataTable::new(&["Picture", "Bits per dimension"]);
    table.rows = shown.iter().map(|p| vec![p.name.clone(), format::fixed(p.bits, 3)]).collect();
    Some(Figure {
        title: title.into(),
        description: description.into(),
        svg: finish(&image, size, 1, title, description),
        table,
    })
}
