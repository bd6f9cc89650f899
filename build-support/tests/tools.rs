//! The tools that the build reads in an adapter's source, on every Python of the machine.

mod support;

use std::fs;
use std::path::Path;

use snakepit_build::declaration::Adapter;
use snakepit_build::manifest::{ParameterKind, Tool};
use snakepit_build::{Code, Diagnostic};
use snakepit_test_tools::{Python, pythons};
use support::{World, request};

fn read(python: &Python, adapter: &str, source: &str) -> Result<Vec<Tool>, Diagnostic> {
    let package = tempfile::tempdir().unwrap();
    fs::write(package.path().join("tools.py"), source).unwrap();
    let mut request = request("system", &[]);
    request.adapter = Some(Adapter::Module(adapter.to_owned()));
    request.python_path = vec![".".to_owned()];
    let world = World::with(Some(Path::new(&python.path)));
    let found = world.resolve(&request, package.path());
    found.map(|resolution| resolution.tools)
}

fn tools(python: &Python, source: &str) -> Vec<Tool> {
    read(python, "tools", source).unwrap_or_else(|fault| panic!("{python:?}: {fault:?}"))
}

#[track_caller]
fn names(source: &str) -> Vec<String> {
    names_of("tools", source)
}

#[track_caller]
fn names_of(adapter: &str, source: &str) -> Vec<String> {
    let mut found = pythons().into_iter().map(|python| {
        let tools = read(&python, adapter, source);
        let tools = tools.unwrap_or_else(|fault| panic!("{python:?}: {fault:?}"));
        let names = tools.into_iter().map(|tool| tool.name);
        names.collect::<Vec<_>>()
    });
    let first = found.next().unwrap();
    for other in found {
        assert_eq!(other, first);
    }
    first
}

#[test]
fn parameters_have_their_kind_and_the_source_of_default_and_annotation() {
    let source = "import typing\n\n\n\
        def f(a: int, b=(1,\n     2), /, c: 'typing.List[\"é\"]' = \"ü\" 'x', *rest: float,\n      \
        d: dict = {'k': [1, None]}, e, **more) -> typing.Optional[int]:\n    \
        \"\"\"\n    Says é.\n\n    And more.\"\"\"\n";
    let parameter = |name: &str, kind, default: Option<&str>, annotation: Option<&str>| {
        snakepit_build::manifest::Parameter {
            name: name.to_owned(),
            kind,
            default: default.map(str::to_owned),
            annotation: annotation.map(str::to_owned),
        }
    };
    use ParameterKind::{
        KeywordOnly, PositionalOnly, PositionalOrKeyword, VarKeyword, VarPositional,
    };
    for python in pythons() {
        let [tool] = &tools(&python, source)[..] else {
            panic!("{python:?}");
        };
        let wanted = [
            parameter("a", PositionalOnly, None, Some("int")),
            parameter("b", PositionalOnly, Some("(1,\n     2)"), None),
            parameter(
                "c",
                PositionalOrKeyword,
                Some("\"ü\" 'x'"),
                Some("'typing.List[\"é\"]'"),
            ),
            parameter("rest", VarPositional, None, Some("float")),
            parameter("d", KeywordOnly, Some("{'k': [1, None]}"), Some("dict")),
            parameter("e", KeywordOnly, None, None),
            parameter("more", VarKeyword, None, None),
        ];
        assert_eq!(tool.parameters, wanted, "{python:?}");
        assert_eq!(tool.returns.as_deref(), Some("typing.Optional[int]"));
        assert_eq!(tool.doc.as_deref(), Some("Says é."));
    }
}

#[test]
fn only_a_yield_in_the_functions_own_body_makes_it_streaming() {
    let source = "
def plain():
    def inner():
        yield 1
    class Inner:
        def method(self):
            yield 2
    return [one for one in inner()], lambda: (yield)

def numbers():
    for number in range(3):
        if number:
            with open('x') as file:
                got = yield from file

async def answer():
    return 1

async def events():
    yield 1
";
    for python in pythons() {
        let found: Vec<_> = tools(&python, source)
            .into_iter()
            .map(|tool| (tool.name, tool.is_async, tool.is_streaming))
            .collect();
        let wanted = [
            ("plain", false, false),
            ("numbers", false, true),
            ("answer", true, false),
            ("events", true, true),
        ];
        let wanted = wanted.map(|(name, is_async, streams)| (name.to_owned(), is_async, streams));
        assert_eq!(found, wanted, "{python:?}");
    }
}

#[test]
fn public_functions_of_the_module_are_tools_and_nothing_else_is() {
    let source = "
from os.path import join
from glob import *
import functools

def first(): pass
def _private(): pass
class Model:
    def method(self): pass
second = first
third = lambda: 1

@functools.lru_cache(maxsize=None)
def cached(a): return a

def __getattr__(name): return first
";
    assert_eq!(names(source), ["first", "cached"]);
}

#[test]
fn definitions_in_an_if_or_try_count_once_and_those_never_imported_do_not() {
    let source = "
import sys
from typing import TYPE_CHECKING

if sys.version_info >= (3, 99):
    def chosen(new): pass
elif sys.platform == 'linux':
    def chosen(linux): pass
else:
    def chosen(old): pass

try:
    from fast import run
except ImportError:
    def run(slowly): pass
else:
    def more(): pass
finally:
    def last(): pass

if TYPE_CHECKING:
    def for_checkers(): pass

if __name__ == '__main__':
    def main(): pass
else:
    def imported(): pass

for _ in range(2):
    def repeated(): pass
";
    assert_eq!(names(source), ["chosen", "run", "more", "last", "imported"]);
    let python = &pythons()[0];
    assert_eq!(tools(python, source)[0].parameters[0].name, "old");
}

#[test]
fn marked_functions_are_the_only_tools_under_the_names_that_they_are_given() {
    let source = "
import functools
import snakepit_bridge
import snakepit_bridge as bridge
from snakepit_bridge import tool, tool as offered

NAME = 'computed'

def helper(): pass

@tool
def first(): pass

@tool()
def second(): pass

@offered(name='renamed')
async def _third(): yield 1

@functools.lru_cache(None)
@snakepit_bridge.tool(name=None)
def fourth(): pass

@bridge.tool
def fifth(): pass

@tool(name=NAME)
def unseen(): pass
";
    assert_eq!(
        names(source),
        ["first", "second", "renamed", "fourth", "fifth"]
    );
}

#[test]
fn a_decorator_called_tool_of_another_module_marks_nothing() {
    let source = "
from somewhere import tool

@tool(name='other')
def first(): pass

def second(): pass
";
    assert_eq!(names(source), ["first", "second"]);
    let unmarked = "
from snakepit_bridge import tool

def first(): pass
";
    assert_eq!(names(unmarked), ["first"]);
}

#[test]
fn a_source_of_some_megabytes_is_read_and_its_thousands_of_tools_are_listed() {
    let functions = (0..20_000).map(|number| {
        format!(
            "def tool_{number}(value: int = {number}):\n    return [value, '{}']\n\n",
            "x".repeat(40)
        )
    });
    let source: String = functions.collect();
    assert!(source.len() > 1 << 20);
    let tools = tools(&pythons()[0], &source);
    assert_eq!(tools.len(), 20_000);
    assert_eq!(
        tools[19_999].parameters[0].default.as_deref(),
        Some("19999")
    );
}

#[test]
fn what_is_called_at_the_end_of_a_session_is_no_tool() {
    let source = "
import snakepit_bridge
from snakepit_bridge import on_session_end as at_end
@at_end
def forget(session, why): pass
@snakepit_bridge.on_session_end
def forget_more(session, why): pass
def first(): pass
";
    assert_eq!(names(source), ["first"]);
}

const CLASSES: &str = "
import functools
from elsewhere import Imported, other as Renamed
from snakepit_bridge import on_session_end, tool

def loose(): pass

class Base:
    def shared(self): pass
    def replaced(self, old): pass
    def hidden(self): pass

try:
    class Tools(Base, functools.partial):
        hidden = None
        def __init__(self): pass
        def setup(self, worker): pass
        def initialize(self): pass
        def cleanup(self): pass
        def replaced(self, new: int = 1) -> int: 'Says.'; return new
        def every(*arguments, **named): pass
        async def later(self): pass
        @staticmethod
        def alone(number): yield number
        @classmethod
        def made(cls, number): pass
        @property
        def state(self): pass
        @state.setter
        def state(self, value): pass
        @on_session_end
        def forget(self, session, why): pass
        def _private(self): pass
        class Inner:
            def method(self): pass
        if True:
            def chosen(self): pass
except ImportError:
    pass

class Marked(Base):
    @tool
    def first(self): pass
    @staticmethod
    @tool(name='renamed')
    def second(value): pass
    def third(self): pass

Assigned = type('Assigned', (), {})

class Tree(Tree): pass
";

#[test]
fn the_tools_of_a_class_are_its_methods_and_those_of_its_bases_in_the_module() {
    let wanted = [
        "shared", "replaced", "every", "later", "alone", "made", "chosen",
    ];
    assert_eq!(names_of("tools:Tools", CLASSES), wanted);
    assert_eq!(names_of("tools:Marked", CLASSES), ["first", "renamed"]);
    assert_eq!(
        names_of("tools:Base", CLASSES),
        ["shared", "replaced", "hidden"]
    );
    for elsewhere in ["Imported", "Renamed", "Assigned", "Tree"] {
        let none: [&str; 0] = [];
        assert_eq!(names_of(&format!("tools:{elsewhere}"), CLASSES), none);
    }
    assert_eq!(names_of("tools", CLASSES), ["loose"]);
    let tools = read(&pythons()[0], "tools:Tools", CLASSES).unwrap();
    let parameters = |name: &str| {
        let tool = tools.iter().find(|tool| tool.name == name).unwrap();
        let names = tool.parameters.iter().map(|parameter| &*parameter.name);
        names.collect::<Vec<_>>().join(" ")
    };
    for (name, wanted) in [
        ("replaced", "new"),
        ("every", "arguments named"),
        ("alone", "number"),
        ("made", "number"),
        ("later", ""),
    ] {
        assert_eq!(parameters(name), wanted, "{name}");
    }
}

#[test]
fn a_class_that_is_not_there_is_told_with_the_nearest_one() {
    for python in pythons() {
        for (name, help) in [
            ("Tool", "did you mean `Tools`?"),
            (
                "Inner",
                "name one of its classes: `Base`, `Marked`, `Tools`, `Tree`",
            ),
            ("loose", "name one of its classes"),
        ] {
            let fault = read(&python, &format!("tools:{name}"), CLASSES).unwrap_err();
            assert!(fault.is(Code::AdapterClassNotFound));
            let message = format!("the adapter `tools` has no class `{name}`");
            assert_eq!(fault.message(), message);
            assert!(fault.help().contains(help), "{fault:?}");
        }
        let open = "from somewhere import *\n";
        assert!(read(&python, "tools:Any", open).unwrap().is_empty());
        let open = "def __getattr__(name): pass\n";
        assert!(read(&python, "tools:Any", open).unwrap().is_empty());
    }
}
