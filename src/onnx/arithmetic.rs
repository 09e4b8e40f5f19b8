//! The operators, by the names that the rest of the crate gives them. Shapes broadcast as those of NumPy.

use super::graph::{Graph, Setting, Value};

/// Numbers of types in the format, for conversions.
const TO_FLOAT: i64 = 1;
const TO_INT64: i64 = 7;
const TO_DOUBLE: i64 = 11;

/// Operators of one operand.
macro_rules! unary {
    ($($(#[$doc:meta])* $method:ident = $operator:literal,)*) => {
        impl Graph {
            $($(#[$doc])* pub fn $method(&mut self, x: &Value) -> Value {
                self.node($operator, &[x])
            })*
        }
    };
}

/// Operators of two operands.
macro_rules! binary {
    ($($(#[$doc:meta])* $method:ident = $operator:literal,)*) => {
        impl Graph {
            $($(#[$doc])* pub fn $method(&mut self, x: &Value, y: &Value) -> Value {
                self.node($operator, &[x, y])
            })*
        }
    };
}

unary! {
    /// −x.
    minus = "Neg",
    /// |x|.
    abs = "Abs",
    /// √x.
    sqrt = "Sqrt",
    /// eˣ.
    exp = "Exp",
    /// ln x.
    ln = "Log",
    /// tanh x.
    tanh = "Tanh",
    /// 1/(1 + e⁻ˣ).
    sigmoid = "Sigmoid",
    /// max(x, 0).
    positive = "Relu",
    /// Whether x is no number.
    is_nan = "IsNaN",
    /// Whether x is infinite.
    is_infinite = "IsInf",
    /// Not x.
    not = "Not",
}

binary! {
    /// x + y.
    add = "Add",
    /// x − y.
    subtract = "Sub",
    /// x y.
    multiply = "Mul",
    /// x/y.
    divide = "Div",
    /// The larger of x and y.
    larger = "Max",
    /// The smaller of x and y.
    smaller = "Min",
    /// x = y.
    equal = "Equal",
    /// x ≥ y.
    at_least = "GreaterOrEqual",
    /// x > y.
    above = "Greater",
    /// x and y.
    both = "And",
    /// x or y.
    either = "Or",
}

impl Graph {
    /// `yes` where the condition holds, else `no`.
    pub fn choose(&mut self, condition: &Value, yes: &Value, no: &Value) -> Value {
        self.node("Where", &[condition, yes, no])
    }

    /// ln(1 + x) for x ≥ 0. What is lost beside ln_1p is at most the rounding error of the number 1.
    pub fn ln_1p(&mut self, x: &Value) -> Value {
        let one = self.number(1.0);
        let sum = self.add(x, &one);
        self.ln(&sum)
    }

    /// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|). The operator of this name has no kernel in double precision.
    pub fn softplus(&mut self, x: &Value) -> Value {
        let size = self.abs(x);
        let small = self.minus(&size);
        let small = self.exp(&small);
        let log = self.ln_1p(&small);
        let positive = self.positive(x);
        self.add(&positive, &log)
    }

    /// x².
    pub fn square(&mut self, x: &Value) -> Value {
        self.multiply(x, x)
    }

    /// x + a.
    pub fn plus(&mut self, x: &Value, a: f64) -> Value {
        let a = self.number(a);
        self.add(x, &a)
    }

    /// a x.
    pub fn times(&mut self, x: &Value, a: f64) -> Value {
        let a = self.number(a);
        self.multiply(x, &a)
    }

    /// 1 and 0 for yes and no; whole numbers as doubles.
    pub fn to_double(&mut self, x: &Value) -> Value {
        self.node_with("Cast", &[x], &[("to", Setting::Int(TO_DOUBLE))])
    }

    /// In single precision.
    pub fn to_single(&mut self, x: &Value) -> Value {
        self.node_with("Cast", &[x], &[("to", Setting::Int(TO_FLOAT))])
    }

    /// As whole numbers.
    pub fn to_int(&mut self, x: &Value) -> Value {
        self.node_with("Cast", &[x], &[("to", Setting::Int(TO_INT64))])
    }

    /// The sum over an axis, which is kept with length 1 if `keep`.
    pub fn sum(&mut self, x: &Value, axis: i64, keep: bool) -> Value {
        self.reduce("ReduceSum", x, axis, keep)
    }

    /// The mean over an axis, which is kept with length 1 if `keep`.
    pub fn mean(&mut self, x: &Value, axis: i64, keep: bool) -> Value {
        self.reduce("ReduceMean", x, axis, keep)
    }

    /// The largest over an axis, which is kept with length 1 if `keep`.
    pub fn largest(&mut self, x: &Value, axis: i64, keep: bool) -> Value {
        self.reduce("ReduceMax", x, axis, keep)
    }

    /// The sum of squares over an axis, which is kept with length 1 if `keep`.
    pub fn sum_of_squares(&mut self, x: &Value, axis: i64, keep: bool) -> Value {
        self.reduce("ReduceSumSquare", x, axis, keep)
    }

    fn reduce(&mut self, operator: &str, x: &Value, axis: i64, keep: bool) -> Value {
        let axes = self.ints(&[axis], &[1]);
        self.node_with(operator, &[x, &axes], &[("keepdims", Setting::Int(i64::from(keep)))])
    }

    /// ln Σ exp(x) over an axis, shifted by the largest term; the axis is kept with length 1 if `keep`.
    pub fn log_sum_exp(&mut self, x: &Value, axis: i64, keep: bool) -> Value {
        let most = self.largest(x, axis, true);
        let shifted = self.subtract(x, &most);
        let shifted = self.exp(&shifted);
        let sum = self.sum(&shifted, axis, true);
        let log = self.ln(&sum);
        let whole = self.add(&log, &most);
        if keep { whole } else { self.squeeze(&whole, axis) }
    }

    /// Exponentials over an axis, as shares of their sum.
    pub fn softmax(&mut self, x: &Value, axis: i64) -> Value {
        self.node_with("Softmax", &[x], &[("axis", Setting::Int(axis))])
    }

    /// The product of matrices.
    pub fn product(&mut self, x: &Value, y: &Value) -> Value {
        self.node("MatMul", &[x, y])
    }

    /// The same numbers in another shape; one length may be −1, and 0 keeps that of the old shape.
    pub fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.ints(shape, &[shape.len()]);
        self.node("Reshape", &[x, &shape])
    }

    /// Without an axis of length 1.
    pub fn squeeze(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.ints(&[axis], &[1]);
        self.node("Squeeze", &[x, &axes])
    }

    /// With a further axis of length 1.
    pub fn unsqueeze(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.ints(&[axis], &[1]);
        self.node("Unsqueeze", &[x, &axes])
    }

    /// With the axes in another order.
    pub fn transpose(&mut self, x: &Value, order: &[i64]) -> Value {
        self.node_with("Transpose", &[x], &[("perm", Setting::Ints(order.to_vec()))])
    }

    /// Several tensors behind each other along an axis. One is itself.
    pub fn concat(&mut self, parts: &[Value], axis: i64) -> Value {
        if let [only] = parts {
            return only.clone();
        }
        let parts: Vec<&Value> = parts.iter().collect();
        self.node_with("Concat", &parts, &[("axis", Setting::Int(axis))])
    }

    /// A tensor cut along an axis into parts of these lengths, of which none is 0.
    pub fn split(&mut self, x: &Value, axis: i64, lengths: &[usize]) -> Vec<Value> {
        if lengths.len() == 1 {
            return vec![x.clone()];
        }
        let sizes: Vec<i64> = lengths.iter().map(|&n| n as i64).collect();
        let sizes = self.ints(&sizes, &[lengths.len()]);
        self.node_of("Split", &[x, &sizes], &[("axis", Setting::Int(axis))], lengths.len())
    }

    /// The parts of a tensor at some places along an axis.
    pub fn take(&mut self, x: &Value, places: &Value, axis: i64) -> Value {
        self.node_with("Gather", &[x, places], &[("axis", Setting::Int(axis))])
    }

    /// Columns of a tensor along an axis of `length`, in the given order; itself where these are all of them
    /// in their own order.
    pub fn columns(&mut self, x: &Value, places: &[usize], length: usize, axis: i64) -> Value {
        if places.iter().copied().eq(0..length) {
            return x.clone();
        }
        let places: Vec<i64> = places.iter().map(|&at| at as i64).collect();
        let places = self.ints(&places, &[places.len()]);
        self.take(x, &places, axis)
    }

    /// Element by element: of each row along an axis the one at a place of its own.
    pub fn pick(&mut self, x: &Value, places: &Value, axis: i64) -> Value {
        self.node_with("GatherElements", &[x, places], &[("axis", Setting::Int(axis))])
    }

    /// The `n` smallest of the last axis.
    pub fn smallest(&mut self, x: &Value, n: usize) -> Value {
        let n = self.ints(&[n as i64], &[1]);
        let settings = [("largest", Setting::Int(0)), ("axis", Setting::Int(-1))];
        self.node_of("TopK", &[x, &n], &settings, 2).swap_remove(0)
    }

    /// Whole numbers for texts, `otherwise` for one that is not listed.
    pub fn codes(&mut self, x: &Value, of: &[(String, i64)], otherwise: i64) -> Value {
        let (texts, codes): (Vec<String>, Vec<i64>) = of.iter().cloned().unzip();
        let settings = [
            ("keys_strings", Setting::Texts(texts)),
            ("values_int64s", Setting::Ints(codes)),
            ("default_int64", Setting::Int(otherwise)),
        ];
        self.node_with("LabelEncoder", &[x], &settings)
    }

    /// Whether a text fits a regular expression from its beginning to its end.
    pub fn fits(&mut self, x: &Value, expression: &str) -> Value {
        self.node_with("RegexFullMatch", &[x], &[("pattern", Setting::Text(expression.into()))])
    }
}
