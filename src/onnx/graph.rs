//! A graph while it is built: inputs, constants, nodes and outputs.

use std::collections::HashMap;

use prost::Message;

use super::proto::{
    Attribute, Dimension, Entry, GraphOf, Model, Node, OperatorSet, Shape, Tensor, TensorType, Type,
    ValueInfo,
};

/// Version of the file format. Version 9 came with operator set 20.
const IR_VERSION: i64 = 9;
/// Version of the operators. `RegexFullMatch`, which tells texts apart that are written unlike those of the
/// training table, came with version 20.
const OPERATORS: i64 = 20;
/// Domain and version of the operator that maps texts to numbers.
const LEARNING: (&str, i64) = ("ai.onnx.ml", 4);
/// The dimension of the records.
const RECORDS: &str = "records";

/// Numbers of types in the format.
const FLOAT: i32 = 1;
const INT64: i32 = 7;
const STRING: i32 = 8;
const DOUBLE: i32 = 11;
const ATTRIBUTE_INT: i32 = 2;
const ATTRIBUTE_STRING: i32 = 3;
const ATTRIBUTE_INTS: i32 = 7;
const ATTRIBUTE_STRINGS: i32 = 8;

/// A tensor in a graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value(String);

/// The type of an input column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Numbers in double precision, NaN where missing.
    Numbers,
    /// Texts, empty where missing.
    Texts,
}

/// A graph while it is built.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
    /// Constants by their type, shape and bytes, so that none is written twice.
    known: HashMap<(i32, Vec<i64>, Vec<u8>), Value>,
    inputs: Vec<ValueInfo>,
    outputs: Vec<ValueInfo>,
}

/// An attribute of a node.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
}

impl Graph {
    /// An input of one column, `(records, 1)`.
    pub fn input(&mut self, name: &str, kind: Input, description: &str) -> Value {
        let of = if kind == Input::Numbers { DOUBLE } else { STRING };
        self.inputs.push(ValueInfo { doc_string: description.into(), ..column(name, of) });
        Value(name.into())
    }

    /// An output of one column, `(records, 1)`, in double precision.
    pub fn output(&mut self, name: &str, value: &Value) {
        self.nodes.push(Node {
            input: vec![value.0.clone()],
            output: vec![name.into()],
            name: format!("output {name}"),
            op_type: "Identity".into(),
            ..Node::default()
        });
        self.outputs.push(column(name, DOUBLE));
    }

    /// Numbers, row-major.
    pub fn doubles(&mut self, numbers: &[f64], shape: &[usize]) -> Value {
        self.constant(DOUBLE, shape, numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Numbers in single precision, row-major.
    pub fn singles(&mut self, numbers: &[f32], shape: &[usize]) -> Value {
        self.constant(FLOAT, shape, numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Whole numbers, row-major.
    pub fn ints(&mut self, numbers: &[i64], shape: &[usize]) -> Value {
        self.constant(INT64, shape, numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// One number.
    pub fn number(&mut self, x: f64) -> Value {
        self.doubles(&[x], &[])
    }

    fn constant(&mut self, data_type: i32, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let dims: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let key = (data_type, dims.clone(), raw_data);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = format!("c{}", self.constants.len());
        self.constants.push(Tensor { dims, data_type, name: name.clone(), raw_data: key.2.clone() });
        self.known.insert(key, Value(name.clone()));
        Value(name)
    }

    /// A node with one output.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&Value]) -> Value {
        self.node_with(operator, inputs, &[])
    }

    /// A node with one output and with attributes.
    pub(super) fn node_with(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting)],
    ) -> Value {
        self.node_of(operator, inputs, settings, 1).swap_remove(0)
    }

    /// A node with several outputs.
    pub(super) fn node_of(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting)],
        outputs: usize,
    ) -> Vec<Value> {
        let number = self.nodes.len();
        let names: Vec<String> = (0..outputs).map(|i| format!("v{number}.{i}")).collect();
        let domain = if operator == "LabelEncoder" { LEARNING.0 } else { "" };
        self.nodes.push(Node {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: names.clone(),
            name: format!("n{number}"),
            op_type: operator.into(),
            attribute: settings.iter().map(|(name, setting)| attribute(name, setting)).collect(),
            domain: domain.into(),
        });
        names.into_iter().map(Value).collect()
    }

    /// The file, with a description and facts by name.
    pub fn file(self, description: &str, facts: &[(&str, String)]) -> Vec<u8> {
        let set = |domain: &str, version| OperatorSet { domain: domain.into(), version };
        let model = Model {
            ir_version: IR_VERSION,
            producer_name: env!("CARGO_PKG_NAME").into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: description.into(),
            graph: Some(GraphOf {
                node: self.nodes,
                name: "score".into(),
                initializer: self.constants,
                input: self.inputs,
                output: self.outputs,
            }),
            opset_import: vec![set("", OPERATORS), set(LEARNING.0, LEARNING.1)],
            metadata_props: facts
                .iter()
                .map(|(key, value)| Entry { key: (*key).into(), value: value.clone() })
                .collect(),
        };
        model.encode_to_vec()
    }
}

fn attribute(name: &str, setting: &Setting) -> Attribute {
    let named = Attribute { name: name.into(), ..Attribute::default() };
    match setting {
        Setting::Int(i) => Attribute { i: Some(*i), r#type: ATTRIBUTE_INT, ..named },
        Setting::Ints(ints) => Attribute { ints: ints.clone(), r#type: ATTRIBUTE_INTS, ..named },
        Setting::Text(text) => {
            Attribute { s: Some(text.as_bytes().to_vec()), r#type: ATTRIBUTE_STRING, ..named }
        }
        Setting::Texts(texts) => Attribute {
            strings: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
            r#type: ATTRIBUTE_STRINGS,
            ..named
        },
    }
}

fn column(name: &str, elem_type: i32) -> ValueInfo {
    let records = Dimension { dim_value: None, dim_param: Some(RECORDS.into()) };
    let one = Dimension { dim_value: Some(1), dim_param: None };
    let shape = Some(Shape { dim: vec![records, one] });
    ValueInfo {
        name: name.into(),
        r#type: Some(Type { tensor_type: Some(TensorType { elem_type, shape }) }),
        doc_string: String::new(),
    }
}
