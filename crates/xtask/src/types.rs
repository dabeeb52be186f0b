//! The window's types, as the `protocol` crate declares them; nothing is declared here.

use std::path::Path;

use crate::generated::Generated;

pub(crate) fn files(root: &Path) -> Vec<Generated> {
    vec![Generated {
        path: root.join("ui/src/generated/protocol.ts"),
        bytes: protocol::typescript().into_bytes(),
        same: |old, new| old == new,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> String {
        String::from_utf8(files(Path::new("")).remove(0).bytes).expect("text")
    }

    #[test]
    fn a_number_on_the_wire_is_a_number_in_the_window() {
        assert!(!module().contains("bigint"), "JSON has no bigint:\n{}", module());
    }

    #[test]
    fn every_type_is_exported() {
        let module = module();
        let hidden: Vec<&str> = module.lines().filter(|line| line.starts_with("type ")).collect();
        assert_eq!(hidden, Vec::<&str>::new());
    }
}
