//! Containers of the tests' own engine.

use snakepit_build::{Code, Host, Machine};
use snakepit_test_tools::{IMAGE, engine};

use crate::{Proof, Site};

/// A machine with Docker, and a running container if it is named.
fn machine(container: Option<&str>, options: &[(&str, &str)]) -> Option<Site> {
    let engine = engine()?;
    let mut site = Site::new("docker", options);
    provide_docker(&site);
    for (name, value) in &engine.variables {
        site.set(name, value);
    }
    if let Some(name) = container {
        site.container = Some(engine.container(name));
        site.option("container_name", name);
    }
    Some(site)
}

fn provide_docker(site: &Site) {
    site.provide("docker", Machine.which("docker").unwrap());
}

pub(crate) const PROOFS: &[Proof] = &[
    Proof {
        code: Code::ContainerNotFound,
        place: "option:container_name",
        says: &["docker has no container `catalogue-absent`"],
        help: "start one: `docker run --detach --name catalogue-absent IMAGE`",
        scene: || machine(None, &[("container_name", "catalogue-absent")]),
        mend: |site, help| {
            let engine = engine().unwrap();
            // Removes it at the end.
            site.container = Some(engine.container("catalogue-absent"));
            let sleeper = ["commit", "--change", "CMD [\"sleep\", \"600\"]"];
            engine.output(&[&sleeper[..], &["catalogue-absent", "catalogue-sleeper"]].concat());
            engine.output(&["rm", "--force", "catalogue-absent"]);
            let command = help.split('`').nth(1).unwrap();
            let command = command.replace("IMAGE", "catalogue-sleeper");
            site.shell(&command, &site.root);
        },
    },
    Proof {
        code: Code::ContainerNotRunning,
        place: "option:container_name",
        says: &["container `catalogue-stopped` does not run: its state is `exited`"],
        help: "run `docker start catalogue-stopped`",
        scene: || {
            let site = machine(Some("catalogue-stopped"), &[])?;
            engine()?.output(&["kill", "catalogue-stopped"]);
            Some(site)
        },
        mend: Site::follow,
    },
    Proof {
        code: Code::ImageNotFound,
        place: "option:image",
        says: &["docker has no image `catalogue-image:1`"],
        help: "make it with `docker build --tag catalogue-image:1 .`",
        scene: || {
            let _ = engine()?.run(&["rmi", "catalogue-image:1"]);
            machine(None, &[("image", "catalogue-image:1")])
        },
        mend: |site, help| {
            site.write("Dockerfile", &format!("FROM {IMAGE}\nENV MADE=here\n"));
            site.shell(help.split('`').nth(3).unwrap(), &site.root);
        },
    },
    Proof {
        code: Code::ContainerPythonNotFound,
        place: "option:python_path",
        says: &["container `catalogue-pythonless` cannot run the Python `/opt/python3`"],
        help: "lists the usual ones",
        scene: || {
            let python = [("python_path", "/opt/python3")];
            machine(Some("catalogue-pythonless"), &python)
        },
        mend: |site, help| {
            let list = help.split('`').nth(3).unwrap();
            // Of the usual places one is not there, which `ls` tells by its status.
            site.shell(&format!("{list} | grep -qx /usr/bin/python3"), &site.root);
            site.option("python_path", "/usr/bin/python3");
        },
    },
    Proof {
        code: Code::ContainerPathNotFound,
        place: "option:cwd",
        says: &["container `catalogue-elsewhere` has no folder `/my app`"],
        help: "make it, or correct the path",
        scene: || machine(Some("catalogue-elsewhere"), &[("cwd", "/my app")]),
        mend: |site, _| {
            let container = site.container.as_ref().unwrap();
            container.shell("mkdir '/my app'");
        },
    },
    Proof {
        code: Code::ContainerPathRelative,
        place: "option:cwd",
        says: &["`cwd` names `srv`, which is relative to no folder of container"],
        help: "write the absolute path",
        scene: || machine(Some("catalogue-relative"), &[("cwd", "srv")]),
        mend: |site, _| site.option("cwd", "/srv"),
    },
    Proof {
        code: Code::ContainerNameInvalid,
        place: "option:container_name",
        says: &["container `--rm` has a name that no container can have"],
        help: "beginning with a letter or a digit",
        scene: || {
            let mut site = machine(Some("catalogue-named"), &[])?;
            site.option("container_name", "--rm");
            Some(site)
        },
        mend: |site, _| site.option("container_name", "catalogue-named"),
    },
    Proof {
        code: Code::ContainerOrImageRequired,
        place: "environment",
        says: &["the declaration names neither"],
        help: "`docker(image = \"...\")`",
        scene: || machine(None, &[]),
        mend: |site, _| site.option("image", IMAGE),
    },
    Proof {
        code: Code::EngineUnknown,
        place: "option:engine",
        says: &["wants the engine `dokcer`, which is not known"],
        help: "write `engine = \"docker\"` or",
        scene: || machine(None, &[("image", IMAGE), ("engine", "dokcer")]),
        mend: |site, _| site.option("engine", "docker"),
    },
    Proof {
        code: Code::DockerEngineUnreachable,
        place: "environment",
        says: &[
            "the engine of `docker` does not answer",
            "/gone/docker.sock",
        ],
        help: "see that `docker version` shows a server; `DOCKER_HOST`",
        scene: || {
            let mut site = machine(None, &[("image", IMAGE)])?;
            site.set("DOCKER_HOST", "unix:///gone/docker.sock");
            Some(site)
        },
        mend: |site, _| {
            for (name, value) in &engine().unwrap().variables {
                site.set(name, value);
            }
            site.shell("docker version", &site.root);
        },
    },
    Proof {
        code: Code::DockerNotInstalled,
        place: "environment",
        says: &["wants the client `docker`, which is not on the search path"],
        help: "install it (Debian: `apt-get install docker.io`)",
        scene: || {
            let site = machine(None, &[("image", IMAGE)])?;
            site.remove_program("docker");
            Some(site)
        },
        mend: |site, _| provide_docker(site),
    },
];
