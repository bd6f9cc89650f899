//! A problem as the compiler would show it: the line of the source, with what is meant underlined.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::report::{Problem, Status};

/// The text of a problem, with the styles of a terminal.
pub(crate) fn rendered(problem: &Problem, pool: Option<&str>, width: Option<u16>) -> String {
    let level = match problem.severity {
        Status::Error => Level::ERROR,
        Status::Warning => Level::WARNING,
        Status::Ok => Level::NOTE,
    };
    let mut title = String::new();
    if let Some(pool) = pool {
        title.push_str(&format!("pool `{pool}`: "));
    }
    title.push_str(&problem.message);
    if let Some(code) = &problem.code {
        title.push_str(&format!(" [snakepit::{code}]"));
    }
    let title = level.primary_title(title);
    let mut group = match &problem.place {
        None => Group::with_title(title),
        Some(place) => {
            let span = AnnotationKind::Primary.span(place.span.clone());
            let snippet = Snippet::source(place.source.text.as_str())
                .path(place.source.path.as_str())
                .annotation(span);
            title.element(snippet)
        }
    };
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut renderer = Renderer::styled();
    if let Some(width) = width {
        renderer = renderer.term_width(usize::from(width));
    }
    renderer.render(&[group])
}
