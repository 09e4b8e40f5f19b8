//! Missing codes that training and scoring have to read alike.
