//! nginx and HAProxy before each replica, as people put them there: with less patience than the bridge has.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::replica::reserve;

/// Starts a program and ends it when its own standard input is closed, which happens whatever becomes of the test.
const WATCH: &str = r#""$@" & child=$!; read -r line; kill "$child"; wait "$child""#;
/// How often they are looked for, and how long in between.
const LOOKED: (u32, Duration) = (500, Duration::from_millis(20));

/// Both, running. Dropping it ends them.
pub struct Proxies {
    // Their standard inputs must stay open.
    watches: Vec<Child>,
    /// For each replica a port of each.
    fronts: Vec<[u16; 2]>,
}

impl Proxies {
    /// Puts both before replicas at these URLs, with their files in this folder.
    ///
    /// # Panics
    ///
    /// Where one of them is not installed.
    pub fn start(folder: &Path, replicas: &[String]) -> Self {
        let reserved: Vec<_> = replicas.iter().map(|_| [reserve(), reserve()]).collect();
        let fronts: Vec<_> = reserved.iter().map(|pair| [pair[0].0, pair[1].0]).collect();
        fs::write(folder.join("nginx.conf"), nginx(replicas, &fronts)).unwrap();
        fs::write(folder.join("haproxy.cfg"), haproxy(replicas, &fronts)).unwrap();
        drop::<Vec<[(u16, TcpListener); 2]>>(reserved);
        let here = format!("{}/", folder.display());
        let watches = vec![
            watched(folder, "nginx", "nginx-light", &["-p", &here, "-c", "nginx.conf", "-e", "nginx.log"]),
            watched(folder, "haproxy", "haproxy", &["-q", "-db", "-f", "haproxy.cfg"]),
        ];
        fronts.iter().flatten().for_each(|port| until_open(*port));
        Self { watches, fronts }
    }

    /// Where they stand before this replica.
    pub fn before(&self, replica: usize) -> [String; 2] {
        self.fronts[replica].map(|port| format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        for watch in &mut self.watches {
            watch.stdin.take();
            // It fails when it has ended already.
            let _ = watch.wait();
        }
    }
}

/// Debian's folder for servers is not in everybody's path.
fn watched(folder: &Path, program: &str, package: &str, arguments: &[&str]) -> Child {
    let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
    let there = path.split(':').map(|place| Path::new(place).join(program)).find(|file| file.is_file());
    let Some(file) = there else {
        panic!("{program} is missing, which the long run needs: install the Debian package {package}");
    };
    let log = fs::File::create(folder.join(format!("{program}.out"))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "sh"]).arg(file).args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

fn until_open(port: u16) {
    let (times, pause) = LOOKED;
    for _ in 0..times {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("a proxy does not start: see nginx.out, nginx.log and haproxy.out");
}

fn nginx(replicas: &[String], fronts: &[[u16; 2]]) -> String {
    let mut text = "daemon off; master_process off; pid nginx.pid;\nevents { worker_connections 500; }\n\
        http {\naccess_log off; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
        proxy_connect_timeout 500ms; proxy_read_timeout 700ms; proxy_ssl_verify off;\n"
        .to_owned();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(text, "{kind}_temp_path nginx-{kind};").unwrap();
    }
    for (replica, [port, _]) in replicas.iter().zip(fronts) {
        let (scheme, address) = replica.split_once("://").unwrap();
        writeln!(
            text,
            "upstream replica_{port} {{ server {address} max_fails=0; keepalive 8; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {scheme}://replica_{port}; }} }}"
        )
        .unwrap();
    }
    text + "}\n"
}

fn haproxy(replicas: &[String], fronts: &[[u16; 2]]) -> String {
    let mut text =
        "global\n maxconn 500\n nbthread 1\ndefaults\n mode http\n option abortonclose\n retries 0\n \
        timeout connect 500ms\n timeout client 10s\n timeout server 700ms\n"
            .to_owned();
    for (replica, [_, port]) in replicas.iter().zip(fronts) {
        let (scheme, address) = replica.split_once("://").unwrap();
        let tls = if scheme == "https" { " ssl verify none" } else { "" };
        writeln!(text, "listen replica_{port}\n bind 127.0.0.1:{port}\n server one {address}{tls}").unwrap();
    }
    text
}
