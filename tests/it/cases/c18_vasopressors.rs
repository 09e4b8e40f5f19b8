//! No entry means no infusion; an unusable entry means an unknown rate.
