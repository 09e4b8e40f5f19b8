//! A MIMIC-III-shaped synthetic extract with planted, labelled anomalies.
