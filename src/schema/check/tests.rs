use super::*;

#[test]
fn compiled_in_files_are_valid() {
    for name in crate::schema::pipeline_names() {
        if let Err(e) = crate::schema::load_pipeline(name) { panic!("{e}\n{:?}", crate::error::Hint::hint(&e)); }
    }
}
