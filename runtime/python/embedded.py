"""An adapter whose source travels in the program."""


def embed(name, path, text):
    """Makes one module importable whose source came with the introduction."""
    from importlib.machinery import ModuleSpec, SourceFileLoader

    data = text.encode()

    class Embedded(SourceFileLoader):
        """Its file is on no disk: the import, tracebacks and `inspect` ask for it here."""

        def get_data(self, path):
            return data

        def path_stats(self, path):
            raise OSError("no compiled form is kept")

        def find_spec(self, fullname, path=None, target=None):
            if fullname != name:
                return None
            spec = ModuleSpec(name, self, origin=self.path)
            # Sets `__file__`.
            spec.has_location = True
            return spec

    # In angle brackets alone, `linecache` would not ask.
    sys.meta_path.insert(0, Embedded(name, "<embedded>/" + path))
