//! Cohorts: schema, pipeline and a folder of tables → one row per record.
//!
//! ```text
//! plan       schema + pipeline compiled for one pass        run        the ingestion from end to end
//! plan_events  the same of one event table             between    records between two events
//! records    ids, subjects, times; events → records         facts      records and static tables, joined
//! fact       a cell of such a table                         fact_rows  the rows of such a table
//! rules      inclusion and exclusion, in order              anchor     what windows count from
//! age        years by the calendar                          columns    windows → features
//! explain    one cell with all its rows                     messages   what there is to say of tables and variables
//! options    how to read, apart from schema and pipeline     share     what a part of the records comes to
//! close      shares of all parts → one table                moment    when an event was
//! episodes   stays that follow each other → one record      related    items that the extract relates to others
//! lost       what cannot be told without a table
//! ```

pub(in crate::ingest) mod age;
pub(in crate::ingest) mod anchor;
pub(in crate::ingest) mod between;
pub(in crate::ingest) mod close;
pub(in crate::ingest) mod columns;
pub(in crate::ingest) mod episodes;
pub(in crate::ingest) mod explain;
pub(in crate::ingest) mod fact;
pub(in crate::ingest) mod fact_rows;
pub(in crate::ingest) mod facts;
pub(in crate::ingest) mod lost;
pub(in crate::ingest) mod messages;
pub(in crate::ingest) mod moment;
pub(in crate::ingest) mod options;
pub(in crate::ingest) mod plan;
pub(in crate::ingest) mod plan_events;
pub(in crate::ingest) mod records;
pub(in crate::ingest) mod related;
pub(in crate::ingest) mod repeats;
pub(in crate::ingest) mod rules;
pub(in crate::ingest) mod run;
pub(in crate::ingest) mod share;

pub use explain::{Explanation, explain};
pub use options::{BadRows, IngestOptions};
pub use run::{ingest, ingest_with};
