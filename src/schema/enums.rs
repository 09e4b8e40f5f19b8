//! Enums that are words in files and on the command line.

/// Defines an enum together with the word of each value, which is what files hold, what people type and what
/// messages say. `ALL` lists the values in the order in which they are told to people.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[$of_value:meta])* $value:ident = $word:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$of_value])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// All of them, in the order in which they are listed to people.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            /// The word in files, in messages and on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    };
}

pub(crate) use words;
