//! The measured section of docs/BENCHMARKS.md: what stands between two markers.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Report, markdown, plot};

const BEGIN: &str = "<!-- peers: written by `make bench` from here -->";
const END: &str = "<!-- peers: to here -->";
/// Beside the text.
const FOLDER: &str = "benchmarks";

/// Writes the section, the plots and the figures below this folder.
pub fn write(report: &Report, docs: &Path) -> Result<()> {
    let page = docs.join("BENCHMARKS.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
    let text = replaced(&text, &markdown(report, Some(FOLDER)))?;
    plot::write_all(report, &docs.join(FOLDER))?;
    std::fs::write(docs.join(FOLDER).join("peers.json"), report.json()? + "\n")?;
    std::fs::write(&page, text).with_context(|| format!("writing {}", page.display()))
}

/// The text with another section between the markers.
fn replaced(text: &str, section: &str) -> Result<String> {
    let missing =
        || format!("docs/BENCHMARKS.md lacks the lines {BEGIN:?} and {END:?} around the measured section");
    let (before, rest) = text.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", section.trim()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, report};
    use super::*;
    use crate::peers::Kind;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let text = format!("# Title\n{BEGIN}\nold\n{END}\nthe end\n");
        let new = replaced(&text, "new\n").unwrap();
        assert_eq!(new, format!("# Title\n{BEGIN}\n\nnew\n\n{END}\nthe end\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert!(replaced("no markers", "new").unwrap_err().to_string().contains("BENCHMARKS.md lacks"));
    }

    #[test]
    fn the_page_of_this_project_has_its_markers() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
        let text = std::fs::read_to_string(Path::new(docs).join("BENCHMARKS.md")).unwrap();
        assert!(replaced(&text, "figures").is_ok());
    }

    #[test]
    fn page_plots_and_figures_are_written_side_by_side() {
        let docs = tempfile::tempdir().unwrap();
        std::fs::write(docs.path().join("BENCHMARKS.md"), format!("{BEGIN}{END}")).unwrap();
        write(&report(vec![record(Kind::Bare, 8, 1, 900.0)]), docs.path()).unwrap();
        let read = |file: &str| std::fs::read_to_string(docs.path().join(file)).unwrap();
        assert!(read("BENCHMARKS.md").contains("(benchmarks/hot.svg)"));
        assert!(read("benchmarks/hot.svg").contains("<svg"));
        assert!(read("benchmarks/peers.json").contains("\"perSecond\": 900.0"));
    }
}
