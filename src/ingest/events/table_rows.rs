//! What the rows of an event table came to, in a form that adds up over parts of the records.

use serde::{Deserialize, Serialize};

use crate::ingest::TableAudit;
use crate::message::Message;

/// The account of an event table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::ingest) struct TableRows {
    /// Rows read, kept and dropped by reason.
    pub(in crate::ingest) audit: TableAudit,
    /// Whether there is any file of the table.
    pub(in crate::ingest) has_files: bool,
    /// Rows that name no record, at a time that lies in several of their subject.
    pub(in crate::ingest) in_several_stays: u64,
    /// About its files.
    pub(in crate::ingest) messages: Vec<Message>,
}
