//! The report as a page, in a browser.

mod common;

use std::{fs, path::Path, process::Command};

use common::{said, stored};
use serde_json::Value;

/// Does what a person would, and leaves what can be seen then where the title is.
const PERSON: &str = r#"<script>
const section = document.querySelector(".bug"), rows = () => section.querySelectorAll("tbody tr").length;
const marks = () => section.querySelectorAll(".mark").length, range = () => section.querySelector(".range").textContent;
const seen = { sections: document.querySelectorAll(".bug").length, rows: rows(), marks: marks(), range: range() };
const search = section.querySelector("input[type=search]");
const type = text => { search.value = text; search.dispatchEvent(new Event("input")); };
type("EXITS with");
seen.found = rows();
type("");
const exec = [...section.querySelectorAll(".kinds label")].find(label => label.textContent.includes("exec"));
exec.querySelector("input").click();
seen.without_exec = rows();
exec.querySelector("input").click();
section.querySelector("[data-zoom='2']").click();
seen.closer = range();
const svg = section.querySelector("svg"), at = svg.getBoundingClientRect();
svg.dispatchEvent(new PointerEvent("pointerdown", { clientX: at.x + 400 }));
dispatchEvent(new PointerEvent("pointermove", { clientX: at.x + 300 }));
dispatchEvent(new PointerEvent("pointerup"));
seen.scrolled = range();
section.querySelector("[data-zoom='0']").click();
seen.all = range();
svg.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, clientX: at.x + 400, clientY: at.y + 5 }));
seen.wheeled = range();
section.querySelector("tr.marked").click();
seen.picked = section.querySelector("tr.picked").textContent;
seen.picked_marks = [...section.querySelectorAll(".mark")].filter(mark => mark.getAttribute("width") == 7).length;
seen.remote = [...document.querySelectorAll("[src], [href]")].filter(e => !e.getAttribute("href")?.startsWith('#')).length;
document.title = JSON.stringify(seen);
</script>"#;

/// The title of a page after its scripts have run.
fn title(page: &Path, profile: &Path) -> String {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1200,1000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    title.unwrap_or_else(|| panic!("no title: {dom}")).replace("&lt;", "<").replace("&gt;", ">")
}

#[test]
fn a_timeline_is_searched_filtered_zoomed_and_scrolled() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let script = "(sleep 1; echo '</script><b>') & wait; echo 'bad & <worse>' >&2; exit 3";
    let output = stored(&folder.path().join("store"), ["explore", "--depth", "2", "--html"])
        .arg(&page)
        .args(["--", "/bin/sh", "-c", script])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output).stderr);
    let mut html = fs::read_to_string(&page).expect("a page");
    assert!(html.contains("bad &amp; &lt;worse&gt; (exit status 3)"), "{html}");
    html.push_str(PERSON);
    fs::write(&page, html).expect("own file");
    let seen: Value =
        serde_json::from_str(&title(&page, &folder.path().join("profile"))).expect("JSON");
    let number = |name: &str| seen[name].as_u64().expect("a number");
    let text = |name: &str| seen[name].as_str().expect("text").to_owned();
    assert_eq!((number("sections"), number("remote")), (1, 0), "{seen}");
    assert_eq!(number("rows"), number("marks"), "{seen}");
    assert_eq!(number("found"), 3, "three processes: {seen}");
    assert!(number("without_exec") < number("rows"), "{seen}");
    assert_ne!(text("closer"), text("range"));
    assert_ne!(text("scrolled"), text("closer"));
    assert_eq!(text("all"), text("range"));
    assert_ne!(text("wheeled"), text("range"));
    assert!(text("picked").ends_with("100exits with status 3"), "{seen}");
    assert_eq!(number("picked_marks"), 1, "{seen}");
}

/// Machines of which one asks another until it is not answered, and a client that asks the first.
const DIVIDED: &str = "
nodes:
  back: { command: /usr/bin/python3 -m http.server 80, ready: { listens: 80 } }
  front:
    command: \"sh -c '/usr/bin/python3 -m http.server 80 & while curl -sfm 3 -o /dev/null http://back; do sleep 1; done'\"
    after: { back: ready }
    ready: { listens: 80 }
workloads:
  client: { command: \"sh -c 'for n in $(seq 20); do curl -sfm 3 -o /dev/null http://front || exit 1; sleep 1; done'\" }
";

#[test]
fn nodes_have_lanes_with_connections_and_partitions_between_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("sim.yaml", DIVIDED);
    write(
        "cut.yaml",
        "about: x\nfaults: { cut: { do: { partition: { shape: pair } }, after: 5s, for: 20s } }",
    );
    let page = folder.path().join("page.html");
    let output = stored(&folder.path().join("store"), ["explore", "--depth", "1"])
        .current_dir(folder.path())
        .args(["--faults", "cut.yaml", "--html", "page.html", "sim", "sim.yaml"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output).stderr);
    let mut html = fs::read_to_string(&page).expect("a page");
    html.push_str(
        r#"<script>
const section = document.querySelector(".bug"), all = kind => [...section.querySelectorAll(kind)];
const lanes = all("svg text").map(text => text.textContent).filter(text => !text.endsWith("s"));
const spans = all(".message").map(line => Math.abs(line.getAttribute("y1") - line.getAttribute("y2")));
const bands = all(".partition").map(band => band.querySelector("title").textContent);
document.title = JSON.stringify({ lanes, spans, bands });
</script>"#,
    );
    fs::write(&page, html).expect("own file");
    let seen: Value =
        serde_json::from_str(&title(&page, &folder.path().join("profile"))).expect("JSON");
    let of = |name: &str| seen[name].as_array().expect("a list").clone();
    let mut lanes = of("lanes");
    lanes.sort_by_key(ToString::to_string);
    assert_eq!(lanes, ["back", "client", "front", "network"], "{seen}");
    assert!(of("spans").len() > 3 && of("spans").iter().all(|span| *span != 0), "{seen}");
    assert_eq!(of("bands"), ["cut/cut: a partition of back | front"], "{seen}");
}
