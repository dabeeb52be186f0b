//! The lines of a project's configuration that send it a runner's way.

use protocol::Runner;

/// A whole pipeline, as small as one can be: `machine: true` and the resource class are what sends a
/// job to a machine runner (CircleCI's runner documentation, "Getting started").
pub fn snippet(runner: &Runner) -> String {
    format!(
        "\
# One job for the runners of {class}, {name} among them.
version: 2.1
jobs:
  build:
    machine: true
    resource_class: {class}
    steps:
      - checkout
      - run: echo \"Hello from $(hostname)\"
workflows:
  build:
    jobs: [build]
",
        class = runner.resource_class,
        name = runner.name,
    )
}
