//! The real daemon and a real bus.

use testkit::server::Server;
use testkit::{Deadline, TempDir};

fn soon() -> Deadline {
    Deadline::seconds(10)
}

#[test]
fn a_toast_is_a_line_on_the_console_and_an_event() {
    let server = Server::start().unwrap();
    let mut natstoast = server.daemon("natstoast", &[]).unwrap();
    let mut bus = server.client().unwrap();
    bus.subscribe("toast.*.shown").unwrap();
    bus.publish("toast.in", b"a USB stick was plugged in!").unwrap();
    natstoast.line(soon(), "toast: a USB stick was plugged in!").unwrap();
    let shown = bus.next(soon()).unwrap();
    assert_eq!(
        (shown.subject.as_str(), &shown.json()["summary"]),
        ("toast.1.shown", &"a USB stick was plugged in!".into())
    );
    let answer = bus.request("toast.in", b"{\"summary\":\"two\",\"urgency\":\"critical\"}", soon()).unwrap();
    assert_eq!(answer.text(), "{\"id\":2}");
    natstoast.line(soon(), "toast: critical: two").unwrap();
    let refused = bus.request("toast.in", b"", soon()).unwrap();
    assert!(refused.header.contains("Nats-Service-Error: a toast needs a summary"), "{}", refused.header);
}

#[test]
fn toasts_go_to_the_configured_file_and_a_bad_one_is_refused() {
    let (server, folder) = (Server::start().unwrap(), TempDir::new("toast").unwrap());
    let (conf, output) = (folder.join("natstoast.toml"), folder.join("toasts"));
    std::fs::write(&conf, format!("output = {:?}\n", output.display().to_string())).unwrap();
    let _natstoast = server.daemon("natstoast", &["--config", conf.to_str().unwrap()]).unwrap();
    let answer = server.client().unwrap().request("toast.in", b"\"to a file\"", soon()).unwrap();
    assert_eq!(answer.text(), "{\"id\":1}");
    assert_eq!(std::fs::read_to_string(output).unwrap(), "toast: to a file\n");

    std::fs::write(&conf, "output = \"/nonexistent/tty\"\n").unwrap();
    let program = testkit::process::binary("natstoast").unwrap();
    let url = server.url();
    let run =
        std::process::Command::new(program).args(["--url", &url, "--config", conf.to_str().unwrap()]).output().unwrap();
    assert_eq!(run.status.code(), Some(73));
    let line = String::from_utf8_lossy(&run.stderr);
    assert!(line.starts_with("natstoast: error: cannot open /nonexistent/tty: "), "{line}");
}
