//! Parquet as other programs read it. Polars notes in the footer that its texts are string views, which
//! pyarrow then makes of them, and which its `take` did not know for years; we note plain strings.

use std::io::Write;

use polars_core::prelude::{CompatLevel, Schema, SchemaExt};
use polars_io::prelude::{KeyValueMetadata, ParquetWriter};
use polars_parquet::write::schema_to_metadata_key;

/// A writer of a file whose columns are these.
pub(in crate::ingest) fn parquet<W: Write>(file: W, columns: &Schema) -> ParquetWriter<W> {
    let noted = schema_to_metadata_key(&columns.to_arrow(CompatLevel::oldest()));
    ParquetWriter::new(file).with_key_value_metadata(Some(KeyValueMetadata::Static(vec![noted])))
}
