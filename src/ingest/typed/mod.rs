//! Table files read under the names and types that a schema declares, which are never inferred.
//!
//! ```text
//! tables     the files of all tables that a plan reads      file       columns asked for, matched to a header
//! scan       streaming reads, filtered by item              delimited  CSV by blocks, side by side
//! stored     Parquet types → declared types                 batch      cells of a stretch by row
//! cache      the event store                                passed     how much of a file has passed
//! items      which texts name an item
//! calendar   dates, times with a zone                       locate     words for a cell of another type
//! ```

pub(in crate::ingest) mod batch;
pub(in crate::ingest) mod cache;
pub(in crate::ingest) mod calendar;
pub(in crate::ingest) mod delimited;
pub(in crate::ingest) mod file;
pub(in crate::ingest) mod items;
pub(in crate::ingest) mod locate;
pub(in crate::ingest) mod passed;
pub(in crate::ingest) mod scan;
pub(in crate::ingest) mod stored;
pub(in crate::ingest) mod tables;
