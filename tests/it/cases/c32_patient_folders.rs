//! Several bedside records of one patient.
