//! The kind `docker` on a real engine: what is found, what is carried into the container, and every fault with the fix
//! that makes it go away.

mod support;

use std::path::{Path, PathBuf};

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::declaration::{Adapter, Request};
use snakepit_build::manifest::Resolution;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Host, Machine};
use snakepit_test_tools::{Engine, IMAGE, engine, podman};
use support::{World, request, script};

fn on(engine: &Engine) -> World {
    let mut world = World::with(None);
    world.which = Box::new(|name| Machine.which(name));
    for (name, value) in &engine.variables {
        let variable = ((*name).to_owned(), value.clone().into());
        world.variables.extend([variable]);
    }
    world
}

fn resolved(request: &Request, world: &World) -> Result<Resolution, Vec<Diagnostic>> {
    let (custom, probes) = (Custom::new(), Cache::default());
    resolve(request, Path::new("/"), &custom, &probes, world)
}

#[track_caller]
fn found(request: &Request, world: &World) -> Resolution {
    resolved(request, world).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The one fault, whose code and place are as wanted.
#[track_caller]
fn refused(request: &Request, world: &World, code: &str, place: &str) -> Diagnostic {
    let mut faults = resolved(request, world).expect_err("the declaration cannot be met");
    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = faults.remove(0);
    assert_eq!((fault.code(), fault.place()), (code, place));
    assert!(!fault.help().is_empty());
    fault
}

fn in_container(name: &str) -> Request {
    request("docker", &[("container_name", name)])
}

fn of_image(name: &str) -> Request {
    request("docker", &[("image", name)])
}

/// Runs a command of a help on the tests' engine.
#[track_caller]
fn follow(engine: &Engine, fault: &Diagnostic) {
    let command = fault.help().split('`').nth(1).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words[0], engine.client, "{fault:?}");
    engine.output(&words[1..]);
}

#[test]
fn a_running_container_is_found_with_its_image_and_digest_and_no_fact_of_this_machine() {
    let Some(engine) = engine() else { return };
    let container = engine.container("found");
    let found = found(&in_container("found"), &on(engine));
    assert_eq!(found.args, ["exec", "-i", "found", "python3"]);
    assert!(found.env.is_empty() && found.cwd.is_none() && found.checks.is_empty());
    let said = container.shell("python3 -c 'import platform; print(platform.python_version())'");
    assert_eq!(found.metadata.python_version, said);
    assert_eq!(found.metadata.prefix, "/usr");
    let id = engine.output(&["image", "inspect", "--format", "{{.Id}}", IMAGE]);
    assert_eq!(found.metadata.extra["image_digest"], id);
    assert_eq!(found.metadata.extra["image"], IMAGE);
    assert_eq!(found.metadata.extra["container_name"], "found");
    assert_eq!(found.metadata.extra["engine"], "docker");
}

#[test]
fn an_image_is_found_and_its_containers_are_labelled_and_removed() {
    let Some(engine) = engine() else { return };
    let found = found(&of_image(IMAGE), &on(engine));
    let label = "snakepit.pool=ml";
    assert_eq!(
        found.args,
        [
            "run", "--rm", "-i", "--init", "--label", label, IMAGE, "python3"
        ]
    );
    let id = engine.output(&["image", "inspect", "--format", "{{.Id}}", IMAGE]);
    assert_eq!(found.metadata.extra["image_digest"], id);
}

#[test]
fn variables_and_the_working_directory_are_carried_into_the_container() {
    let Some(engine) = engine() else { return };
    let _container = engine.container("carried");
    for mut request in [in_container("carried"), of_image(IMAGE)] {
        request.env.insert("A".to_owned(), "1 = one".to_owned());
        request.env.insert("-B".to_owned(), "--rm".to_owned());
        request.options.insert("cwd".to_owned(), "/var".to_owned());
        let found = found(&request, &on(engine));
        assert!(found.env.is_empty() && found.cwd.is_none(), "{found:?}");
        let ask = "import os; print(os.environ['A'], os.environ['-B'], os.getcwd())";
        let mut args: Vec<&str> = found.args.iter().map(String::as_str).collect();
        args.extend(["-c", ask]);
        assert_eq!(engine.output(&args), "1 = one --rm /var");
    }
}

#[test]
fn a_container_that_is_not_there_or_stopped_or_paused_is_mended_by_the_help() {
    let Some(engine) = engine() else { return };
    let world = on(engine);
    let request = in_container("absent");
    let fault = refused(
        &request,
        &world,
        "container_not_found",
        "option:container_name",
    );
    assert!(fault.help().contains("docker run --detach --name absent"));

    let container = engine.container("absent");
    for state in ["pause", "kill"] {
        engine.output(&[state, &container.name]);
        let fault = refused(
            &request,
            &world,
            "container_not_running",
            "option:container_name",
        );
        follow(engine, &fault);
        found(&request, &world);
    }
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let Some(engine) = engine() else { return };
    let world = on(engine);
    let request = of_image("snakepit-absent:1");
    let fault = refused(&request, &world, "image_not_found", "option:image");
    assert!(fault.help().contains("docker pull snakepit-absent:1"));
    engine.output(&["tag", IMAGE, "snakepit-absent:1"]);
    found(&request, &world);
    engine.output(&["rmi", "snakepit-absent:1"]);
}

#[test]
fn a_container_without_that_python_is_told_apart_from_a_python_that_fails() {
    let Some(engine) = engine() else { return };
    let world = on(engine);
    let container = engine.container("pythonless");
    let with = |mut request: Request, python: &str| {
        let python = python.to_owned();
        request.options.insert("python_path".to_owned(), python);
        request
    };
    let missing = ["python9", "/opt/python3", "/etc", "/etc/passwd", "-c", ""];
    for python in missing {
        for request in [in_container("pythonless"), of_image(IMAGE)] {
            let fault = refused(
                &with(request, python),
                &world,
                "container_python_not_found",
                "option:python_path",
            );
            assert!(
                fault.message().contains(&format!("`{python}`")),
                "{fault:?}"
            );
        }
    }
    container.shell("ln -s /usr/bin/python3 /opt/python3");
    found(&with(in_container("pythonless"), "/opt/python3"), &world);
    let fault = refused(
        &with(in_container("pythonless"), "/bin/cat"),
        &world,
        "probe_failed",
        "environment",
    );
    assert!(fault.message().contains("exec -i pythonless /bin/cat"));
}

#[test]
fn no_client_and_no_engine_are_faults_of_their_own() {
    let Some(engine) = engine() else { return };
    let mut world = on(engine);
    let nowhere = "unix:///nonexistent/docker.sock";
    world
        .variables
        .insert("DOCKER_HOST".to_owned(), nowhere.into());
    let request = in_container("any");
    let code = "docker_engine_unreachable";
    let fault = refused(&request, &world, code, "environment");
    assert!(fault.message().contains(nowhere), "{fault:?}");

    world.which = Box::new(|_| None);
    let fault = refused(&request, &world, "docker_not_installed", "environment");
    assert!(fault.help().contains("apt-get install docker.io"));
    let mut podman = request.clone();
    podman
        .options
        .insert("engine".to_owned(), "podman".to_owned());
    let fault = refused(&podman, &world, "docker_not_installed", "environment");
    assert!(fault.help().contains("apt-get install podman"));
}

#[test]
fn a_client_that_prints_garbage_or_hangs_is_an_engine_that_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("docker");
    let mut world = World::with(None);
    let path: PathBuf = client.clone();
    world.which = Box::new(move |_| Some(path.clone()));
    for text in ["echo garbage", "echo []", "exec sleep 600", "read answer"] {
        script(&client, &format!("#!/bin/sh\n{text}\n"));
        let code = "docker_engine_unreachable";
        let fault = refused(&in_container("any"), &world, code, "environment");
        assert!(fault.message().contains("docker"), "{fault:?}");
    }
}

#[test]
fn names_that_a_client_could_take_for_options_are_refused_before_it_runs() {
    let mut world = World::with(None);
    world.runs = false;
    for name in ["--privileged", "-v", "", " ", "a b", "a;b", "ä", "a\nb"] {
        let at = "option:container_name";
        refused(&in_container(name), &world, "container_name_invalid", at);
        let code = "container_name_invalid";
        refused(&of_image(name), &world, code, "option:image");
    }
    let code = "container_or_image_required";
    refused(&request("docker", &[]), &world, code, "environment");
    let both = [("container_name", "a"), ("image", "b")];
    refused(&request("docker", &both), &world, code, "option:image");
    let other = [("container_name", "a"), ("engine", "--help")];
    let request = request("docker", &other);
    refused(&request, &world, "engine_unknown", "option:engine");
}

#[test]
fn a_working_directory_is_absolute_and_in_the_container() {
    let Some(engine) = engine() else { return };
    let container = engine.container("elsewhere");
    let with = |cwd: &str| {
        let options = [("container_name", "elsewhere"), ("cwd", cwd)];
        request("docker", &options)
    };
    let world = on(engine);
    let at = "option:cwd";
    refused(&with("app"), &world, "container_path_relative", at);
    refused(&with("/my app"), &world, "container_path_not_found", at);
    container.shell("mkdir '/my app'");
    found(&with("/my app"), &world);
}

#[test]
fn what_a_declaration_demands_is_asked_inside_and_all_faults_are_told() {
    let Some(engine) = engine() else { return };
    let world = on(engine);
    let container = engine.container("demands");
    let mut request = in_container("demands");
    request.python = Some(">=4".to_owned());
    request.requires = ["inside-only>=2", "absent", "a b c"]
        .map(str::to_owned)
        .to_vec();
    request.python_path = vec!["/srv/code".to_owned()];
    request.adapter = Some(Adapter::Module("service.tools".to_owned()));
    container.shell(
        "mkdir -p /usr/lib/python3/dist-packages/inside_only-1.5.dist-info && \
         printf 'Metadata-Version: 2.1\\nName: inside-only\\nVersion: 1.5\\nProvides-Extra: fast\\n\
         Requires-Dist: fast-only; extra == \"fast\"\\n\\nRequires-Dist: described; extra == \"fast\"\\n' \
         > /usr/lib/python3/dist-packages/inside_only-1.5.dist-info/METADATA",
    );
    let faults = resolved(&request, &world).unwrap_err();
    let told: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (fault.code(), fault.place()))
        .collect();
    assert_eq!(
        told,
        [
            ("requirement_invalid", "requires:2"),
            ("python_version_mismatch", "python"),
            ("requirement_not_met", "requires:0"),
            ("requirement_not_installed", "requires:1"),
            // The module is not missed in it.
            ("python_path_not_found", "python_path:0"),
        ]
    );
    assert!(
        faults[2].message().contains("inside-only 1.5"),
        "{faults:?}"
    );
    assert!(
        faults[2]
            .help()
            .contains("exec -i demands python3 -m pip install 'inside-only>=2'"),
        "{faults:?}"
    );

    container.shell("mkdir -p /srv/code");
    request.python = None;
    request.requires.clear();
    refused(&request, &world, "adapter_not_found", "adapter");
    container.shell("mkdir -p /srv/code/service && touch /srv/code/service/tools.py");
    request.python = Some(">=3.8".to_owned());
    request.requires = ["Inside.Only>=1", "absent; sys_platform == 'win32'"]
        .map(str::to_owned)
        .to_vec();
    let found = found(&request, &world);
    assert_eq!(found.python_path, ["/srv/code"]);
    request.requires = vec!["inside-only[fast]; sys_platform == 'linux'".to_owned()];
    let code = "requirement_not_installed";
    let fault = refused(&request, &world, code, "requires:0");
    assert!(fault.message().contains("`fast-only`"), "{fault:?}");

    request.python_path = vec!["code".to_owned()];
    request.requires.clear();
    let code = "container_path_relative";
    refused(&request, &world, code, "python_path:0");
    let mut request = of_image(IMAGE);
    request.requires = vec!["absent".to_owned()];
    let fault = refused(&request, &world, "requirement_not_installed", "requires:0");
    assert!(fault.help().contains(&format!("in image `{IMAGE}`")));
}

#[test]
fn an_adapter_is_read_by_the_containers_own_python_also_one_that_is_not_in_it() {
    let Some(engine) = engine() else { return };
    let world = on(engine);
    let container = engine.container("reading");
    container.shell("mkdir -p /srv/code && printf 'def f(:\\n' > /srv/code/tools.py");
    let version = container.shell("python3 -c 'import platform; print(platform.python_version())'");
    let mut request = in_container("reading");
    request.python_path = vec!["/srv/code".to_owned()];
    request.adapter = Some(Adapter::Module("tools".to_owned()));
    let fault = refused(&request, &world, "adapter_syntax_error", "adapter");
    let said = fault.message();
    assert!(said.contains(&format!("Python {version} ")), "{said}");
    assert!(
        said.contains("  File \"/srv/code/tools.py\", line 1\n    def f(:\n"),
        "{said}"
    );
    request.adapter = Some(Adapter::Module("tool".to_owned()));
    let fault = refused(&request, &world, "adapter_not_found", "adapter");
    assert!(
        fault.help().starts_with("did you mean `tools`?"),
        "{fault:?}"
    );

    let package = tempfile::tempdir().unwrap();
    let file = package.path().join("embedded.py");
    request.adapter = Some(Adapter::Embed(file.to_str().unwrap().to_owned()));
    // Its lines are shown though the container does not have them.
    std::fs::write(&file, "x = 1\nreturn x\n").unwrap();
    let fault = refused(&request, &world, "adapter_syntax_error", "adapter");
    let wanted = format!("  File \"{}\", line 2\n    return x\n", file.display());
    assert!(fault.message().contains(&wanted), "{fault:?}");
    // As much as no command line takes.
    let data = "    'a line of a table in the source',\n".repeat(50_000);
    std::fs::write(&file, format!("TABLE = [\n{data}]\n\n\ndef f(a): pass\n")).unwrap();
    assert_eq!(found(&request, &world).tools[0].name, "f");
}

#[test]
fn a_manager_does_not_start_a_container() {
    let mut request = in_container("any");
    request.manager_launch = true;
    let faults = resolved(&request, &World::with(None)).unwrap_err();
    let places: Vec<&str> = faults.iter().map(Diagnostic::place).collect();
    assert_eq!(places, ["launch", "environment"], "{faults:?}");
    assert_eq!(faults[0].code(), "launch_not_supported");
    assert_eq!(faults[1].code(), "docker_not_installed");
}

#[test]
fn podman_is_asked_in_the_same_words() {
    let Some(engine) = podman() else { return };
    let world = on(&engine);
    let container = engine.container("by-podman");
    let with = |options: &[(&str, &str)]| {
        let mut request = request("docker", options);
        let podman = ("engine".to_owned(), "podman".to_owned());
        request.options.extend([podman]);
        request
    };
    let id = engine.output(&["image", "inspect", "--format", "{{.Id}}", IMAGE]);
    for option in [("container_name", "by-podman"), ("image", IMAGE)] {
        let mut request = with(&[option]);
        request.env.insert("A".to_owned(), "1 = one".to_owned());
        request.options.insert("cwd".to_owned(), "/var".to_owned());
        let found = found(&request, &world);
        assert!(found.command.ends_with("podman"), "{found:?}");
        let digest = &found.metadata.extra["image_digest"];
        assert_eq!(digest, &format!("sha256:{id}"));
        assert!(found.metadata.extra["image"].contains(IMAGE), "{found:?}");
        let ask = "import os; print(os.environ['A'], os.getcwd())";
        let mut args: Vec<&str> = found.args.iter().map(String::as_str).collect();
        args.extend(["-c", ask]);
        assert_eq!(engine.output(&args), "1 = one /var");

        let code = "container_python_not_found";
        let python = with(&[option, ("python_path", "python9")]);
        refused(&python, &world, code, "option:python_path");
        let folder = with(&[option, ("cwd", "/absent")]);
        let code = "container_path_not_found";
        refused(&folder, &world, code, "option:cwd");
    }
    let at = "option:container_name";
    let absent = with(&[("container_name", "absent")]);
    refused(&absent, &world, "container_not_found", at);
    let absent = with(&[("image", "absent")]);
    refused(&absent, &world, "image_not_found", "option:image");
    for state in ["pause", "kill"] {
        engine.output(&[state, &container.name]);
        let request = with(&[("container_name", "by-podman")]);
        let fault = refused(&request, &world, "container_not_running", at);
        follow(&engine, &fault);
        found(&request, &world);
    }
}
