//! Every feature of 8,000 real stays, computed a second time.
