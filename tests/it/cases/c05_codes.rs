//! Integer codes that one blank cell turned into 1.0, 2.0, 3.0.
