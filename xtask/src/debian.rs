//! Debian packages used as they are: downloaded with apt-get (no root needed), unpacked with dpkg-deb, cached by version.

use crate::failure::{Context, Failure, Result, expect_success};
use crate::need;
use crate::progress::Step;
use crate::project;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A package that can be had: its name and the name of its file, which carries the version.
pub struct Package {
    pub name: String,
    pub file: String,
}

impl Package {
    /// The folder that it is unpacked to.
    pub fn folder(&self) -> PathBuf {
        project::vm().join("packages").join(self.file.trim_end_matches(".deb"))
    }
}

/// Finds the version of `name` that apt-get would install.
pub fn find(name: &str) -> Result<Package> {
    let output = apt(&["apt-get", "download", "--print-uris", name])?;
    let line = output.lines().find(|line| line.starts_with('\''));
    let file = line
        .and_then(|line| line.split(' ').nth(1))
        .ok_or_else(|| Failure::new(format!("apt-get knows no file for {name}")))?;
    Ok(Package { name: name.to_owned(), file: file.to_owned() })
}

/// The packages that `name` depends on, as apt-cache prints them.
pub fn depends(name: &str) -> Result<Vec<String>> {
    let output = apt(&["apt-cache", "depends", name])?;
    Ok(output.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned).collect())
}

/// Unpacks the files of `package` that match `patterns` (as tar understands them) but not `excluded`, unless that has been done.
pub fn unpack(package: &Package, patterns: &[&str], excluded: &[&str]) -> Result<PathBuf> {
    let folder = package.folder();
    let done = folder.join(".done");
    if done.is_file() {
        return Ok(folder);
    }
    let step = Step::new(format!("download {}", package.name));
    let downloads = project::vm().join("download");
    project::make_folder(&downloads)?;
    let status = Command::new("apt-get")
        .args(["download", "-qq", "-o", "APT::Sandbox::User=", &package.name])
        .current_dir(&downloads)
        .status();
    expect_success(&format!("apt-get download {}", package.name), status.context("apt-get")?)?;
    drop(step);
    let step = Step::new(format!("unpack {}", package.name));
    project::make_folder(&folder)?;
    let archive = downloads.join(&package.file);
    extract(&archive, &folder, patterns, excluded)?;
    drop(step);
    std::fs::write(&done, "").at(&done)?;
    std::fs::remove_file(&archive).at(&archive)?;
    Ok(folder)
}

fn extract(archive: &Path, folder: &Path, patterns: &[&str], excluded: &[&str]) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .context("dpkg-deb")?;
    let stream = dpkg.stdout.take().ok_or_else(|| Failure::new("dpkg-deb: no output"))?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--no-same-owner", "--wildcards", "--directory"]).arg(folder).stdin(stream);
    tar.args(excluded.iter().map(|pattern| format!("--exclude={pattern}"))).args(patterns);
    expect_success("tar", tar.status().context("tar")?)?;
    expect_success("dpkg-deb", dpkg.wait().context("dpkg-deb")?)
}

/// Runs an apt command; when it knows nothing because the package lists were never fetched, root fetches them once.
fn apt(words: &[&str]) -> Result<String> {
    let text = words.join(" ");
    let missing =
        "this takes packages from Debian's archive; on another system give --kernel FILE|DIR and --busybox FILE";
    let run = || {
        let (program, arguments) = words.split_first().ok_or_else(|| Failure::new("no command"))?;
        Command::new(program)
            .args(arguments)
            .output()
            .map_err(|error| Failure::new(format!("{program}: {error}; {missing}")))
    };
    let mut output = run()?;
    if !output.status.success() || output.stdout.is_empty() {
        if !need::is_root() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failure::new(format!(
                "{text}: {words}\nfetch the package lists, then run this again:\n    sudo apt-get update"
            )));
        }
        eprintln!("+ apt-get update");
        let status = Command::new("apt-get").args(["update", "-qq"]).status().context("apt-get update")?;
        expect_success("apt-get update", status)?;
        output = run()?;
    }
    expect_success(&text, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
