//! Split columns with a blank cell, a typing error and another name for validation.
