//! `export`: the records of a bundle for other programs.

use std::path::Path;

use ndarray::{Array1, Array2, Axis};

use crate::features::{Bundle, LabelTable};
use crate::ingest::{NpzArray, OutputCells, OutputColumn, write_npz, write_table};
use crate::schema::{Kind, Split};

use super::Error;
use super::sample::decoded_columns;

/// What to export.
#[derive(Debug, Clone, Copy)]
pub struct ExportRequest<'a> {
    /// Bundle.
    pub bundle: &'a Path,
    /// File to write; its ending is the format: `.csv`, `.parquet`, `.arrow` or `.npz`.
    pub output: &'a Path,
    /// Whether to replace an existing file.
    pub force: bool,
    /// The one split to write; all of them otherwise.
    pub split: Option<Split>,
}

/// Writes the records and returns their number.
///
/// A table holds the record id, the split and each feature in original units, with texts for levels and empty
/// cells for what is missing, and each label as `label.NAME`. An `.npz` file holds `values` (n, d), the
/// coordinates that models see under the stored draw of the noise; `observed` (n, d), 0 where a coordinate is
/// noise for a missing value; `raw` (n, p), original units and codes of levels; `split` (n,), 0 to 3; and the
/// texts `record_id`, `coordinates` and `features`. Labels of numbers are `labels` (n, l) with their
/// `label_names`, NaN where there is none, and each label of texts is `label.NAME`.
///
/// # Errors
/// A bundle that cannot be read, another ending, an output that cannot be written.
pub fn export(request: &ExportRequest<'_>) -> Result<usize, Error> {
    let extension = request.output.extension().map(|e| e.to_string_lossy().to_lowercase());
    let extension = extension.filter(|e| ["csv", "parquet", "arrow", "npz"].contains(&e.as_str()));
    let Some(extension) = extension else {
        return Err(Error::Usage {
            message: format!("cannot tell the format of {}", request.output.display()),
            hint: "end the name of --output in .csv, .parquet, .arrow or .npz".into(),
        });
    };
    let bundle = Bundle::open(request.bundle)?;
    let rows = match request.split {
        Some(split) => bundle.rows(split),
        None => (0..bundle.splits.len()).collect(),
    };
    let ids: Vec<String> = rows.iter().map(|&row| bundle.record_ids[row].clone()).collect();
    let splits: Vec<Split> = rows.iter().map(|&row| bundle.splits[row]).collect();
    let raw = bundle.raw.select(Axis(0), &rows);
    let encoder = &bundle.manifest.encoder;
    let labels = LabelTable::of(request.bundle, &bundle.manifest)?;
    let at: Vec<Option<usize>> = ids.iter().map(|id| labels.row(id)).collect();
    if extension == "npz" {
        let values = bundle.stored_draw().values.select(Axis(0), &rows);
        // An indicator is always there; a feature is where it has a value.
        let observed = Array2::from_shape_fn(values.dim(), |(row, coordinate)| {
            u8::from(raw.get((row, coordinate)).is_none_or(|x| !x.is_nan()))
        });
        let code = |split: &Split| Split::ALL.iter().position(|s| s == split).map_or(0, |at| at as u8);
        let names = encoder.columns.iter().map(|column| column.meta.name.clone()).collect();
        let mut arrays = vec![
            ("values", NpzArray::Single(values.mapv(|x| x as f32))),
            ("observed", NpzArray::Flags(observed)),
            ("raw", NpzArray::Double(raw)),
            ("split", NpzArray::Codes(Array1::from_iter(splits.iter().map(code)))),
            ("record_id", NpzArray::Texts(ids)),
            ("coordinates", NpzArray::Texts(encoder.coordinate_names())),
            ("features", NpzArray::Texts(names)),
        ];
        let numeric: Vec<usize> = (0..labels.metas.len()).filter(|&l| !is_text(&labels, l)).collect();
        if !numeric.is_empty() {
            let number = |(i, l): (usize, usize)| {
                at[i].and_then(|row| labels.number(numeric[l], row)).unwrap_or(f64::NAN)
            };
            let of = |l: &usize| labels.metas[*l].name.clone();
            arrays
                .push(("labels", NpzArray::Double(Array2::from_shape_fn((at.len(), numeric.len()), number))));
            arrays.push(("label_names", NpzArray::Texts(numeric.iter().map(of).collect())));
        }
        let texts: Vec<(String, Vec<String>)> = (0..labels.metas.len())
            .filter(|&l| is_text(&labels, l))
            .map(|l| {
                let text = |row: &Option<usize>| row.and_then(|row| labels.text(l, row)).unwrap_or_default();
                (
                    format!("label.{}", labels.metas[l].name),
                    at.iter().map(|row| text(row).to_owned()).collect(),
                )
            })
            .collect();
        arrays.extend(texts.iter().map(|(name, texts)| (name.as_str(), NpzArray::Texts(texts.clone()))));
        write_npz(request.output, &arrays, request.force)?;
    } else {
        let texts = |texts: Vec<String>| OutputCells::Text(texts.into_iter().map(Some).collect());
        let splits = splits.iter().map(|split| split.name().to_owned()).collect();
        let mut columns =
            vec![OutputColumn::new("record_id", texts(ids)), OutputColumn::new("split", texts(splits))];
        columns.extend(decoded_columns(encoder, raw.view()));
        columns.extend((0..labels.metas.len()).map(|l| label_column(&labels, l, &at)));
        write_table(request.output, &columns, request.force)?;
    }
    Ok(rows.len())
}

fn is_text(labels: &LabelTable, label: usize) -> bool {
    labels.metas[label].kind == Kind::Categorical
}

/// A label of the records at these rows of `labels.parquet`. Its name says that it is no feature.
fn label_column(labels: &LabelTable, label: usize, at: &[Option<usize>]) -> OutputColumn {
    let cells = if is_text(labels, label) {
        let text = |row: &Option<usize>| labels.text(label, (*row)?).map(str::to_owned);
        OutputCells::Text(at.iter().map(text).collect())
    } else {
        let number = |row: &Option<usize>| row.and_then(|row| labels.number(label, row)).unwrap_or(f64::NAN);
        OutputCells::Number(at.iter().map(number).collect())
    };
    OutputColumn::new(format!("label.{}", labels.metas[label].name), cells)
}
