//! Fahrenheit numbers under the Celsius item and the reverse.
