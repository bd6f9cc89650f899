//! Every kind of diagnostic that a build can report, in one place, in alphabetical order.
//!
//! `docs/errors.md` is made of it. A new kind needs a source that provokes it, `tests/ui/errors/CODE.rs`, with the
//! machine that it is compiled on, `CODE.toml`. `TRYBUILD=overwrite cargo test --package snakepit-tests --test ui` then
//! writes down what the compiler says, and `cargo xtask docs` the page.

use std::fmt;

macro_rules! catalogue {
    ($($variant:ident $code:literal $title:literal; when: $when:literal; mend: $mend:literal;)*) => {
        /// The kind of a [`Diagnostic`](crate::Diagnostic): what stands as `[snakepit::code]` behind its message.
        ///
        /// ```
        /// use snakepit_build::Code;
        ///
        /// assert_eq!(Code::VenvNotFound.as_str(), "venv_not_found");
        /// assert!(Code::ALL.contains(&Code::VenvNotFound));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// All of them, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as messages show it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// What is wrong, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// When it is reported: whole sentences in Markdown.
            pub const fn when(self) -> &'static str {
                match self { $(Self::$variant => $when),* }
            }

            /// How it is mended: whole sentences in Markdown.
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$variant => $mend),* }
            }
        }
    };
}

catalogue! {
    AdapterCheckFailed "adapter_check_failed" "the interpreter did not look at the adapter";
        when: "The interpreter is there, but the script that looks for the adapter and reads its source did not come to its end.";
        mend: "Run the command of the help to see what is wrong with the interpreter.";

    AdapterClassNotFound "adapter_class_not_found" "the adapter's class is not there";
        when: "The module that stands before the colon of `adapter` is there, and neither defines nor imports the class behind it.";
        mend: "Correct the name. Only a class at the top of the module can be named.";

    AdapterFileInvalid "adapter_file_invalid" "the file to embed cannot be used";
        when: "What `adapter = embed(\"...\")` names is not one Python file with the name of a module, cannot be read, or is not UTF-8.";
        mend: "Name one file such as `python/tools.py`, or ship a package beside the program and name it in `adapter`.";

    AdapterFileNotFound "adapter_file_not_found" "the file to embed is not there";
        when: "`adapter = embed(\"...\")` names a file that does not exist.";
        mend: "Make it, or correct the path. A relative path starts at the package's folder.";

    AdapterInvalid "adapter_invalid" "the adapter is not the name of a module";
        when: "`adapter` is a path, or a text that Python cannot import.";
        mend: "Write the dotted name of the module, as `import` takes it, and name the folder that it is in under `python_path`.";

    AdapterNameTaken "adapter_name_taken" "the adapter has the name of another module";
        when: "Python itself, or what it loads at its start, has a module of this name: a worker would get that one, or others would get the adapter in its place. Or nothing but Python's own module has this name.";
        mend: "Give the adapter's file another name, or name a module of your own, and its folder under `python_path`.";

    AdapterNotFound "adapter_not_found" "the adapter's module is not there";
        when: "Neither the environment nor a folder of `python_path` has the module that `adapter` names.";
        mend: "Correct the name, name the module's folder under `python_path`, or install the package that brings it.";

    AdapterNotReadable "adapter_not_readable" "the adapter's source cannot be read";
        when: "The source has an encoding that Python does not know, bytes that are no text, or is nested too deep for this Python; or the file cannot be opened.";
        mend: "Mend the file that the help names.";

    AdapterSyntaxError "adapter_syntax_error" "the adapter has a syntax error";
        when: "The environment's own Python does not accept the adapter's source. The message shows what it prints, and which version it is. Modules that the adapter imports are not read.";
        mend: "Mend the line, or take an environment of a newer Python.";

    AdapterTooLarge "adapter_too_large" "the adapter's file is too large";
        when: "The adapter's source has more than 8 MiB.";
        mend: "Move its data to a file of its own, which it reads when it is imported.";

    AdapterWithoutInit "adapter_without_init" "the adapter is a folder without `__init__.py`";
        when: "`adapter` names a namespace package, which has no functions.";
        mend: "Write an `__init__.py` in the folder, or name a module in it.";

    AttributeInvalid "attribute_invalid" "the attribute cannot be read";
        when: "`#[pool(...)]` or `#[snakepit_pools(...)]` is not a list of `key = value`.";
        mend: "Correct it at the place that the error shows.";

    CondaActivationFailed "conda_activation_failed" "a script of the conda environment's activation failed";
        when: "A package installed a script in `etc/conda/activate.d`, which does not come to its end. The build runs these scripts once, to know what they set.";
        mend: "Correct the script, or update the package that it belongs to.";

    CondaEnvironmentInvalid "conda_environment_invalid" "the conda environment is not whole";
        when: "The folder is no conda environment, or its interpreter or its settings cannot be used.";
        mend: "Run the command of the help, or name another environment.";

    CondaEnvironmentNotFound "conda_environment_not_found" "there is no such conda environment";
        when: "No environment is at `prefix`, or none of that name is in conda's folders. The message lists the folders.";
        mend: "Create it with the command of the help, or correct the name or the path.";

    CondaFileInvalid "conda_file_invalid" "a file of conda cannot be used";
        when: "`environment.yml` or a `.condarc` is not YAML, or `environment.yml` gives its environment no name.";
        mend: "Correct the file.";

    CondaFileNotFound "conda_file_not_found" "there is no `environment.yml`";
        when: "`environment = conda` names no environment, and the folder has no `environment.yml` that does.";
        mend: "Write the file, or name the environment with `environment_name` or `prefix`.";

    CondaNotFound "conda_not_found" "there is no conda to start the workers with";
        when: "`launch = manager` wants `conda`, `micromamba` or `mamba`, and none is on the search path.";
        mend: "Install one, set `CONDA_EXE`, or remove `launch = manager`.";

    CondaOptionsConflict "conda_options_conflict" "two options name the environment";
        when: "Both `prefix` and `environment_name` are given.";
        mend: "Remove one of them.";

    CondaPythonMissing "conda_python_missing" "the conda environment has no Python";
        when: "The environment is there, and the package `python` is not installed in it.";
        mend: "Install it with the command of the help.";

    ContainerNameInvalid "container_name_invalid" "no container or image can have this name";
        when: "The name has a character that the engine refuses.";
        mend: "Correct the name.";

    ContainerNotFound "container_not_found" "there is no such container";
        when: "The engine knows no container of that name.";
        mend: "Start one with the command of the help, or correct the name.";

    ContainerNotRunning "container_not_running" "the container does not run";
        when: "The container is there, but it is stopped, paused or restarting.";
        mend: "Start it with the command of the help.";

    ContainerOrImageRequired "container_or_image_required" "either a container or an image is wanted";
        when: "`environment = docker` names neither `container_name` nor `image`, or both.";
        mend: "Name one of them.";

    ContainerPathNotFound "container_path_not_found" "the container has no such folder";
        when: "`cwd` names a folder that the container or the image does not have.";
        mend: "Make the folder there, or correct the path.";

    ContainerPathRelative "container_path_relative" "a path in a container has to be absolute";
        when: "`cwd` or a folder of `python_path` is a relative path, and in the container there is nothing that it could start from.";
        mend: "Write the whole path, as it is inside the container.";

    ContainerPythonNotFound "container_python_not_found" "the container has no such Python";
        when: "The interpreter does not start in the container or the image.";
        mend: "Install Python there, take another image, or name the interpreter with the option `python_path`.";

    CustomEnvironmentNotRegistered "custom_environment_not_registered" "nobody knows this kind of environment";
        when: "`environment = custom(\"name\")` names a kind that `build.rs` does not register.";
        mend: "Register it in `build.rs` with `Builder::environment`.";

    DeclarationUnknown "declaration_unknown" "the build script did not see this declaration";
        when: "The struct is in a file that the build script does not read, is written by a macro, or `build.rs` does not call `snakepit_build::emit()`.";
        mend: "Call it (if it does: `touch build.rs`), name a file outside `src`, `tests`, `examples` and `benches` with `Builder::source`, and write out a struct that a macro writes.";

    DockerEngineUnreachable "docker_engine_unreachable" "the container engine does not answer";
        when: "The client is there, but its engine does not run, may not be used, or is set to a place where there is none.";
        mend: "Start the engine, and see that `docker version` shows a server.";

    DockerNotInstalled "docker_not_installed" "there is no client of a container engine";
        when: "Neither `docker`, nor `podman` where `engine = \"podman\"` is given, is on the search path.";
        mend: "Install it, or name the other engine.";

    EngineUnknown "engine_unknown" "this container engine is not known";
        when: "`engine` is neither `docker` nor `podman`.";
        mend: "Write one of them, or remove the option.";

    EnvironmentNotSynced "environment_not_synced" "the environment is not what `uv.lock` says";
        when: "The project's environment is missing or broken, lacks a locked package, or has another version of it.";
        mend: "Run `uv sync` in the project's folder, as the help has it.";

    ExecutableNotAbsolute "executable_not_absolute" "a custom environment gave a relative path";
        when: "`resolve_executable` of an environment of your own gave a path that the program would have to search for.";
        mend: "Let it give the interpreter's absolute path.";

    GilStillEnabled "gil_still_enabled" "the threads share one GIL";
        when: "`profile = thread` is declared on a Python 3.13 or later that runs with its GIL. It is a warning: the program builds and works.";
        mend: "Use a free-threaded build such as 3.14t, or `profile = process` with more workers.";

    ImageNotFound "image_not_found" "there is no such image";
        when: "The engine has no image of that name. The build does not pull any.";
        mend: "Pull or build it with the command of the help.";

    InvalidPythonEnvironment "invalid_python_environment" "this is no kind of environment";
        when: "`environment` is not one of the known kinds, or not written like one.";
        mend: "Write `system`, `uv`, `venv`, `docker`, `pyenv`, `poetry`, `conda`, `custom(\"name\")` or `auto`, without quotes.";

    KeyRepeated "key_repeated" "the same is given twice";
        when: "A key, an option or a variable stands twice in an attribute, or a field has two attributes `#[pool]`.";
        mend: "Remove one.";

    KeyUnknown "key_unknown" "there is no such key";
        when: "`#[pool(...)]` or `#[snakepit_pools(...)]` has a key that is not known. The help lists those that are, and tells of an option of the environment where it is written.";
        mend: "Correct or remove it.";

    LaunchNotSupported "launch_not_supported" "no manager starts this environment";
        when: "`launch = manager` is declared for a kind other than `uv`, `poetry` and `conda`.";
        mend: "Remove it: the interpreter is started directly.";

    LockConflict "lock_conflict" "a merge left its marks in the lock";
        when: "`snakepit.lock` has lines such as `<<<<<<< HEAD`: git could not merge it.";
        mend: "Take either side and let `cargo snakepit lock` write it again.";

    LockInvalid "lock_invalid" "the lock cannot be read";
        when: "`snakepit.lock` is not TOML, was cut off, lacks something, or cannot be opened.";
        mend: "Restore it from version control, or let `cargo snakepit lock` write it again.";

    LockKeyUnknown "lock_key_unknown" "the lock has a key that is not known";
        when: "`snakepit.lock` was edited by hand, and has a key that nothing reads.";
        mend: "Remove the key, or let `cargo snakepit lock` write the lock again.";

    LockMismatch "lock_mismatch" "this is not what the lock says";
        when: "The build found another environment than `snakepit.lock` says, or the declaration was changed. All differences are listed. With `SNAKEPIT_OFFLINE` only the package's own files are compared: the declaration, an embedded adapter, and the manager's lock file if it is there.";
        mend: "Restore what the lock says, or accept what is here with `cargo snakepit lock`.";

    LockNotFound "lock_not_found" "an offline build needs a lock";
        when: "`SNAKEPIT_OFFLINE` is set, and there is no `snakepit.lock` beside `Cargo.toml`.";
        mend: "Run `cargo snakepit lock` where the environments are and commit the file, or unset the variable.";

    LockPathInvalid "lock_path_invalid" "the lock has a path that leaves its root";
        when: "A path of `snakepit.lock` is relative to nothing, begins at a root that is not known, or leaves its root by `..`.";
        mend: "Let `cargo snakepit lock` write the lock again.";

    LockPoolMissing "lock_pool_missing" "the lock lacks a pool";
        when: "A struct declares a pool that `snakepit.lock` says nothing of.";
        mend: "Add it with `cargo snakepit lock`, on a machine with its environment.";

    LockPoolUnknown "lock_pool_unknown" "the lock has a pool that nobody declares";
        when: "The struct or the field was removed or renamed after `snakepit.lock` was written.";
        mend: "Let `cargo snakepit lock` write the lock again.";

    LockRootUnknown "lock_root_unknown" "a root of the lock is not known here";
        when: "In a build with `SNAKEPIT_OFFLINE` the lock has paths from a folder such as conda's, and this machine does not tell where that is.";
        mend: "Name the folder as the machine that runs the program has it, with the variable of the help.";

    LockTooNew "lock_too_new" "the lock has a newer form";
        when: "`snakepit.lock` was written by a later `snakepit-build` than the one that reads it.";
        mend: "Use that version of `snakepit-build`, or write the lock again with this one.";

    ManifestInvalid "manifest_invalid" "the build script's answer cannot be read";
        when: "The manifest in `OUT_DIR` or the one that `SNAKEPIT_MANIFEST` names is missing, broken, or from another version of `snakepit-build`.";
        mend: "Call `snakepit_build::emit()` in `build.rs`, and use the same version of `snakepit` and `snakepit-build`.";

    ManifestNotFound "manifest_not_found" "no build script answered";
        when: "The package has no `build.rs`, or one that does not call `snakepit_build::emit()`.";
        mend: "Call it, or add a `build.rs` whose `main` calls `snakepit_build::emit()`, and `snakepit-build` under `[build-dependencies]`.";

    OptionUnknown "option_unknown" "this kind of environment has no such option";
        when: "An option of `environment = kind(...)` is not known. The help lists those that are.";
        mend: "Correct or remove it.";

    PathNotUtf8 "path_not_utf8" "a path is not UTF-8";
        when: "The interpreter, a folder or a file of the pool has a path that is not UTF-8, which the program's constants are; or `SNAKEPIT_PYTHON` names one.";
        mend: "Rename the folder or file, or move it to where the whole path is UTF-8.";

    PoetryEnvironmentInvalid "poetry_environment_invalid" "the environment of the poetry project is not whole";
        when: "poetry's virtual environment is there, but its interpreter or `pyvenv.cfg` cannot be used.";
        mend: "Let poetry make it again with the command of the help.";

    PoetryEnvironmentNotFound "poetry_environment_not_found" "the poetry project is not installed";
        when: "Neither the project's `.venv` nor poetry's own folder has a virtual environment of it.";
        mend: "Run `poetry install` in the project's folder.";

    PoetryFailed "poetry_failed" "poetry did not tell where the environment is";
        when: "Where the environment is depends on something that only poetry knows, and `poetry env info` failed.";
        mend: "Run that command in the project's folder to see why.";

    PoetryFileInvalid "poetry_file_invalid" "a file of poetry cannot be read";
        when: "`pyproject.toml`, `poetry.toml`, poetry's `config.toml` or its `envs.toml` is not TOML.";
        mend: "Correct the file.";

    PoetryLockInvalid "poetry_lock_invalid" "`poetry.lock` cannot be read";
        when: "The lock file is not TOML, perhaps after a merge.";
        mend: "Run `poetry lock` in the project's folder.";

    PoetryLockNotFound "poetry_lock_not_found" "there is no `poetry.lock`";
        when: "The folder of `environment = poetry` has a `pyproject.toml`, but no lock file.";
        mend: "Run `poetry lock` and `poetry install` there, or name another `project_dir`.";

    PoetryLockOutOfStep "poetry_lock_out_of_step" "the environment is not what `poetry.lock` says";
        when: "The environment lacks a locked package of the main group, or has another version of a locked one.";
        mend: "Run `poetry sync` in the project's folder.";

    PoetryLockOutdated "poetry_lock_outdated" "`poetry.lock` was made of another `pyproject.toml`";
        when: "What decides in `pyproject.toml` (dependencies, extras, groups, sources) was changed after `poetry lock` had run: its digest is not the `content-hash` of the lock file.";
        mend: "Run `poetry lock` in the project's folder, then `poetry sync`.";

    PoetryNotFound "poetry_not_found" "there is no poetry to start the workers with";
        when: "`launch = manager` wants `poetry`, which is not on the search path.";
        mend: "Install it, or remove `launch = manager`.";

    PoetryProjectNotFound "poetry_project_not_found" "there is no poetry project";
        when: "The folder of `environment = poetry` has no `pyproject.toml`.";
        mend: "Name the project's folder in `project_dir`, or make a project with `poetry init`.";

    PoolNameTaken "pool_name_taken" "two pools would have the same constant";
        when: "Two fields differ only in case, or a field is called `pools`, so that the name of its constant is taken.";
        mend: "Give the field another name.";

    PoolNotDeclared "pool_not_declared" "the struct has no pool";
        when: "`#[snakepit_pools]` stands on a struct of which no field has `#[pool]`.";
        mend: "Mark the fields that are pools.";

    PoolTypeInvalid "pool_type_invalid" "the field of a pool has another type";
        when: "A field with `#[pool]` is not a `snakepit::PoolConfig`.";
        mend: "Write `PoolConfig` as its type.";

    ProbeFailed "probe_failed" "the interpreter does not answer";
        when: "The program is there, but it is no Python, ends with a failure, or does not end within its time.";
        mend: "Run the command of the help to see what is wrong with it.";

    ProjectDirNotFound "project_dir_not_found" "there is no such folder";
        when: "`project_dir` names something that is no folder.";
        mend: "Make it, or correct the path. A relative path starts at the package's folder.";

    PyenvNotInstalled "pyenv_not_installed" "pyenv is not there";
        when: "A version of pyenv is wanted, but neither `PYENV_ROOT` nor `~/.pyenv` has a folder `versions`; with `auto`, no interpreter on the search path is of that version either.";
        mend: "Install pyenv, or set `PYENV_ROOT` to where it is.";

    PyenvVersionInvalid "pyenv_version_invalid" "the version of pyenv is not whole";
        when: "pyenv has the version's folder, but no interpreter that runs in it.";
        mend: "Install the version again.";

    PyenvVersionNotFound "pyenv_version_not_found" "pyenv has not this version";
        when: "None of the versions that are wanted is installed. The message lists those that are.";
        mend: "Install it with the command of the help, or name another.";

    PythonNotFound "python_not_found" "there is no Python";
        when: "No `python3` or `python` is on the search path, or the interpreter that somebody named is not there.";
        mend: "Install Python, correct the path, or name an interpreter with `python_executable` or `SNAKEPIT_PYTHON`.";

    PythonPathNotFound "python_path_not_found" "a folder of `python_path` is not there";
        when: "`python_path` names something that is no folder.";
        mend: "Make it, or correct the path. A relative path starts at the package's folder.";

    PythonTooOld "python_too_old" "this Python is too old for a worker";
        when: "The interpreter is older than Python 3.8.";
        mend: "Name an environment with a newer one.";

    PythonVersionInvalid "python_version_invalid" "this is no version of Python";
        when: "`python_version` is empty, begins like an option of a command, or is a range where one version is wanted.";
        mend: "Write a version such as `3.13`; for a range there is the key `python`.";

    PythonVersionMismatch "python_version_mismatch" "the environment has another Python";
        when: "The interpreter's version does not meet `python` or `python_version`, or the `requires-python` of a project of uv.";
        mend: "Make the environment with a Python that does, or change what is wanted.";

    PythonVersionRequired "python_version_required" "no version is named";
        when: "`environment = pyenv` has no `python_version`, and neither a `.python-version` nor `PYENV_VERSION` names one.";
        mend: "Name one in the declaration, or run `pyenv local`.";

    RequirementExtraUnknown "requirement_extra_unknown" "a distribution has no such extra";
        when: "A string of `requires` wants an extra, as in `uvicorn[standard]`, that the installed version does not have.";
        mend: "Correct the extra, or install a version that has it.";

    RequirementInvalid "requirement_invalid" "this is no requirement";
        when: "A string of `requires` is no PEP 508 requirement, or `python` is no PEP 440 version specifier.";
        mend: "Correct it: `numpy>=2` is a requirement, `>=3.11,<3.14` a version specifier.";

    RequirementMarkerUnknown "requirement_marker_unknown" "a marker has a variable that is not known";
        when: "The marker of a string of `requires`, what stands behind `;`, compares something that PEP 508 does not have.";
        mend: "Use one of the variables that the help lists.";

    RequirementNotInstalled "requirement_not_installed" "a distribution is not installed";
        when: "What a string of `requires` wants is not installed in the environment.";
        mend: "Install it with the command of the help.";

    RequirementNotMet "requirement_not_met" "a distribution has another version";
        when: "What a string of `requires` wants is installed in a version that it excludes, or from another address than the one that is asked for. An installation that wrote no address down, such as one from an index, will do.";
        mend: "Install another with the command of the help.";

    ServerNotFound "server_not_found" "the script of a gRPC server is not there";
        when: "`server` of a pool with `transport = grpc` names a file that does not exist.";
        mend: "Make it, or correct the path. A relative path starts at the package's folder.";

    StandardModuleHidden "standard_module_hidden" "a file hides a module of Python itself";
        when: "A folder of `python_path` has a file or package with the name of a module of Python's standard library, and is searched before it. It is a warning: what imports the module, also inside of other packages, gets the file.";
        mend: "Give the file another name.";

    StructNotSupported "struct_not_supported" "the attribute stands on something else";
        when: "`#[snakepit_pools]` stands on an item that is no struct with named fields, or on a generic one.";
        mend: "Write a struct with named fields and without parameters.";

    SysrootInterpreterForeign "sysroot_interpreter_foreign" "the target's interpreter is for another machine";
        when: "The interpreter in the root file system of `SNAKEPIT_SYSROOT` is made for another processor, width or byte order than what is built. Nothing of it is run; the start of its file tells.";
        mend: "Name the root file system of the target, or build for its machine with `cargo build --target`.";

    SysrootInterpreterUnknown "sysroot_interpreter_unknown" "the target's files do not tell which Python it is";
        when: "The interpreter in the root file system of `SNAKEPIT_SYSROOT` is no program such as CPython for Linux, its standard library is not there, or neither `build-details.json` nor the program itself has its version.";
        mend: "Install Python in the root file system, or name another interpreter of it.";

    SysrootInvalid "sysroot_invalid" "`SNAKEPIT_SYSROOT` names no root file system";
        when: "It is a relative path, nothing is there, or what is there is no folder.";
        mend: "Name the folder of the target's root file system by its absolute path, or unset the variable.";

    SysrootNotSupported "sysroot_not_supported" "this environment cannot be looked up in a root file system";
        when: "`SNAKEPIT_SYSROOT` is set, and the pool wants something that had to be run to be known: a container, or a manager that starts the workers.";
        mend: "Name an environment that is made of files, without `launch = manager`, or build this program without `SNAKEPIT_SYSROOT`.";

    ThreadProfileWithoutFreeThreading "thread_profile_without_free_threading" "the threads share one GIL";
        when: "`profile = thread` is declared on a Python before 3.13, which has no free-threaded build. It is a warning: the program builds and works.";
        mend: "Use a free-threaded build such as 3.14t, or `profile = process` with more workers.";

    UvLockInvalid "uv_lock_invalid" "`uv.lock` cannot be read";
        when: "The lock file is not TOML, perhaps after a merge.";
        mend: "Remove it, and lock again with the command of the help.";

    UvLockNotFound "uv_lock_not_found" "there is no `uv.lock`";
        when: "Neither the project's folder nor that of a workspace above has a lock file that covers it.";
        mend: "Run `uv lock` there, or name another `project_dir`.";

    UvLockOutdated "uv_lock_outdated" "`uv.lock` is not up to date with `pyproject.toml`";
        when: "`pyproject.toml` was changed, for example by a further dependency, and the project was not locked again: what `uv lock --check` finds. Without uv only the direct dependencies are compared.";
        mend: "Run `uv lock` in the project's folder, then `uv sync`.";

    UvNotInstalled "uv_not_installed" "there is no uv to start the workers with";
        when: "`launch = manager` wants `uv`, which is not on the search path.";
        mend: "Install it, or remove `launch = manager`.";

    ValueInvalid "value_invalid" "this value does not fit its key";
        when: "A value is of another type, is out of range, or is not one of the words that the key takes.";
        mend: "Write one like those of the help.";

    VenvInvalid "venv_invalid" "the virtual environment is not whole";
        when: "The folder has no interpreter that runs, or a `pyvenv.cfg` that cannot be read or is gone.";
        mend: "Make it again with the command of the help, or name another `venv_path`.";

    VenvNotFound "venv_not_found" "there is no virtual environment";
        when: "Nothing is at `venv_path`, or at `.venv` where it is not given.";
        mend: "Make one with the command of the help, or correct the path.";
}

impl Code {
    /// Whether the program builds all the same.
    pub const fn is_warning(self) -> bool {
        matches!(
            self,
            Self::GilStillEnabled
                | Self::StandardModuleHidden
                | Self::ThreadProfileWithoutFreeThreading
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn the_codes_are_sorted_and_each_is_named_like_its_variant() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        for code in Code::ALL {
            let variant = format!("{code:?}").to_lowercase();
            assert_eq!(code.as_str().replace('_', ""), variant);
        }
    }
}
