//! Event tables: rows → what was measured in each window of each record, and what is to be made of it.
//!
//! ```text
//! pass        the pass over event tables                 lookup      items and drop rules of a table
//! measurement where a measurement counts                 times       rows that share record and time
//! measure     row → value in the variable's unit         value       a usable measurement, or why it is none
//! reason      why a row gave no value                    duplicates  copies and second measurements
//! gathered    what was measured in each window           bins        windows of a record, one or many
//! accumulate  order-independent aggregates               finding     a value, absent, or not usable
//! stated      what a cell says                           revisions   results that were corrected
//! keep        which rows belong to a table               over_time   time as a weight
//! derive      variables computed from others             trace       what an explanation of a cell follows
//! tally       repeated keys, over parts of the records      table_rows  what a table's rows came to
//! ```

pub(in crate::ingest) mod accumulate;
pub(in crate::ingest) mod bins;
pub(in crate::ingest) mod derive;
pub(in crate::ingest) mod duplicates;
pub(in crate::ingest) mod finding;
pub(in crate::ingest) mod gathered;
pub(in crate::ingest) mod keep;
pub(in crate::ingest) mod lookup;
pub(in crate::ingest) mod measure;
pub(in crate::ingest) mod measurement;
pub(in crate::ingest) mod over_time;
pub(in crate::ingest) mod pass;
pub(in crate::ingest) mod reason;
pub(in crate::ingest) mod revisions;
pub(in crate::ingest) mod stated;
pub(in crate::ingest) mod table_rows;
pub(in crate::ingest) mod tally;
pub(in crate::ingest) mod times;
pub(in crate::ingest) mod trace;
pub(in crate::ingest) mod value;

pub use trace::TracedRow;
