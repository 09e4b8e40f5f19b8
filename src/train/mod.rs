//! AdamW, schedules, early stopping, checkpoints: the trainer of flows.
